"""Compile, run, checkpoint and resume networks that a model hands over; one adapter a device."""
