"""The bounds of decoding: each list, picture and effort has one."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
PICTURE_PIXELS_MAX = 20_000_000
PICTURE_SIDE_MAX = 20_000
FILE_BYTES_MAX = 32 * 1024 * 1024
FOLDER_FILES_MAX = 100_000

# Views are made of at most this many pixels: a larger picture is reduced first (its bars are wide enough), and an
# enlarging view is left out when it would pass the second bound. So the effort for one picture is bounded.
WORKING_PIXELS_MAX = 1_600_000
VIEW_PIXELS_MAX = 3_700_000
SIDE_MIN = 8

CODES_PER_LOOK_MAX = 16
CODE_BYTES_MAX = 4096

# One engine thread in the scanner: a till decodes beside its outbox, and tests compare CPU.
OPENCV_THREADS = 1
