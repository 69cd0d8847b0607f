"""Builders of signed and of hostile files: keys, certificates, CMS, timestamps and containers, all made from nothing."""
