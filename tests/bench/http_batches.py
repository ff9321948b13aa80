def batch_http_vs_engine(g, n):
    raise SystemExit
