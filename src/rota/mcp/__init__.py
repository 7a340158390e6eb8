"""MCP: what agents see of Rota. Tools written for them by hand; it translates, it decides nothing."""
