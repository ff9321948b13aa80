"""Where reads come from: cameras, files, serial readers, keyboard wedges, standard input.

Each source is one `ReadSource`; `follow` runs it in its thread and opens it again when its device went away.
"""
