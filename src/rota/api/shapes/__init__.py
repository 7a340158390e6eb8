"""What the API answers: for each object the model that its schema comes from, and `as_json`, which writes it.

Nothing is written through the models, which would cost more than the rest of a request; a census test
holds the two together.
"""
