"""Report: run the notebooks, collect the findings, render one offline page."""
