"""The HTTP server.

chat.py        POST /v1/chat/completions
completion.py  OpenAI's chat completion objects
delivery.py    sends an answer, streamed or whole
embeddings.py  POST /v1/embeddings
errors.py      OpenAI's error bodies
request.py     the request
server.py      the routes
"""
