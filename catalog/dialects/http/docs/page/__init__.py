"""The document of an API as a web page, and the routes that answer with either."""
