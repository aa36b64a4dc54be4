package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"cassini/tools/figures"
)

// width is that of the longest bar of a plot, in characters.
const width = 40

// plot shows what one host costs in estates of each size: bars of one length say that it is
// the same.
func plot(out io.Writer, all []scaled) {
	fmt.Fprintln(out, "\n```")
	for _, figure := range []struct {
		name  string
		value func(s scaled) int64
		show  func(n int64) string
	}{
		{"CPU", func(s scaled) int64 { return int64(s.CPU) }, func(n int64) string { return figures.Short(time.Duration(n)) }},
		{"memory", func(s scaled) int64 { return s.Then.Live }, figures.Bytes},
		{"disk", func(s scaled) int64 { return s.Log + s.Rings }, figures.Bytes},
	} {
		most := int64(1)
		for _, s := range all {
			most = max(most, figure.value(s)/int64(max(1, s.Hosts)))
		}
		for _, s := range all {
			n := figure.value(s) / int64(max(1, s.Hosts))
			fmt.Fprintf(out, "%-6s a host of %9s %-*s %s\n", figure.name, figures.Count(float64(s.Hosts)), width, strings.Repeat("#", int(n*width/most)), figure.show(n))
		}
	}
	fmt.Fprintln(out, "```")
}

func (s *scaled) write(out io.Writer) {
	n := max(1, int64(s.Hosts))
	per := func(bytes int64) string { return figures.Bytes(bytes / n) }
	hosts := figures.Count(float64(s.Hosts))
	if s.Stopped != nil {
		hosts += " of " + figures.Count(float64(s.Wanted))
	}
	restart := "-"
	if s.Restart > 0 {
		restart = figures.Short(s.Restart) + "; " + figures.Bytes(s.Again.Own)
	}
	fmt.Fprintf(out, "| %s | %s | %s | %s | %s; %s | %s, %s; %s, %s | %s | %s, %s; %s | %s |\n", hosts, figures.Count(float64(s.Documents)),
		figures.Short(s.Took), figures.Count(float64(s.Hosts)/s.Took.Seconds()), figures.Short(s.CPU/time.Duration(n)), figures.Short(s.Ours),
		figures.Bytes(s.Most.Own), per(s.Most.Own), figures.Bytes(s.Then.Live), per(s.Then.Live), figures.Bytes(s.Most.File),
		figures.Bytes(s.Log+s.Rings), per(s.Log), per(s.Rings), restart)
}
