"""Where goods are sold: retailers and their stores, each in one district of one city."""
