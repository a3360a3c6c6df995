"""Energy landscapes of any system: minima, saddles, and what follows from them.

Everything here works on `bridge.protocols.Landscape` alone. Start with `explore`.
"""
