"""Draw: charts, theme and the wording a finding may use."""
