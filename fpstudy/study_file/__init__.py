"""The study file, from bytes to sweeps: lines, readers of values, tables, rules between keys."""
