"""What is asked: the dialects of proxies, canonical URLs, and the hot path that answers them.

One request, top to bottom: an adapter (`serve`, `asgi`) collects it into a Request; `routes` picks who answers;
`validate` lets a dialect read what the proxy says, `canonical` judges the URL, `credentials` says who asks, `decide`
judges, the spool records, and the answer goes back in the caller's dialect.
"""
