"""Sales that a shop with a mainframe uploads as a file: parsed line by line, kept until recorded, each line answered.

Invariants: a line is answered once for each file; a sale counts once however often its number is uploaded, by whichever way; a
sale of which one line is wrong is refused whole, so that its corrected lines can follow; the file itself is kept no longer than
it takes to record it.
"""
