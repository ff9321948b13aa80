"""One verb a file: load, decide, save. The only code that joins capabilities; takes what it needs as arguments."""
