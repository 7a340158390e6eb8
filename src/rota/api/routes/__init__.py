"""Routes: one file for each verb that the API offers."""
