"""Files on a disk: whole or as they were, plain ones only, under names that a folder can have."""
