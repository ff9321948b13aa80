"""Green Points: the service that records baskets of label reads and decides, awards and explains them."""
