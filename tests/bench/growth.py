def cost_growth_100x(g, n):
    raise SystemExit
