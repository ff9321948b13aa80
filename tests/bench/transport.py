def mqtt_scans_per_s(g, n):
    raise SystemExit
