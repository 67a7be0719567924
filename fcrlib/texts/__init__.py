"""What do customers write about, and which texts belong together?"""
