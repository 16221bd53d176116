"""What the native dialect says of itself: an OpenAPI 3.1 document, and a page for people made from it.

`schema` has the words of JSON Schema, `answers` and `requests` what is sent each way, `operation` how a route is told.
The files named by what they are about (`items`, `versions`, `people`...) are the tables of routes, `document` puts
them together, `page` shows the result and `routes` hands both out.
"""
