"""From whatever a caller hands in to readable UTF-8 files: paths, archives, encodings."""
