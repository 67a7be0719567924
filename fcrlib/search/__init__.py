"""Where do contacts fail, since when, how much more than alike ones, and why there?"""
