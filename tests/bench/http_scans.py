def one_scan_http_vs_floor_h(g, n): raise SystemExit
