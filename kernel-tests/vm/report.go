package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"cassini/kernel-tests/vm/internal/verdict"
)

// Report is what the JSON file holds.
type Report struct {
	QEMU    string   `json:"qemu"`
	Kernels []Result `json:"kernels"`
}

func (r Report) good() bool {
	return !slices.ContainsFunc(r.Kernels, func(k Result) bool { return len(k.Failures) > 0 })
}

func (r Report) save(path string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// title names a kernel by what booted, or by what was wanted.
func (r Result) title() string {
	if r.Run.Release != "" {
		return r.Run.Release
	}
	return r.Name()
}

// counts returns how many top-level tests ended how.
func (r Result) counts() map[string]int {
	counts := make(map[string]int)
	for _, b := range r.Binaries {
		for _, test := range b.Tests {
			if !test.Sub() {
				counts[test.Result]++
			}
		}
	}
	return counts
}

// writeOutcome says how one kernel did, with the logs of what failed.
func writeOutcome(w io.Writer, r Result) {
	word := "ok  "
	if len(r.Failures) > 0 {
		word = "FAIL"
	}
	c := r.counts()
	fmt.Fprintf(w, "%s  %s %s  %d passed, %d failed, %d skipped, %d cut off  %.1f s\n",
		word, r.title(), r.Arch, c[verdict.Pass], c[verdict.Fail], c[verdict.Skip], c[verdict.Cut], r.Seconds)
	for _, failure := range r.Failures {
		fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(failure.What, "\n", "\n      "))
		for _, line := range failure.Log {
			fmt.Fprintf(w, "      | %s\n", line)
		}
	}
}

// writeTable shows tests in rows and kernels in columns.
func writeTable(w io.Writer, report Report) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nTEST")
	for _, k := range report.Kernels {
		fmt.Fprintf(table, "\t%s", k.title())
	}
	fmt.Fprintln(table)
	for _, row := range rows(report) {
		fmt.Fprint(table, row.binary, " ", row.test)
		for _, k := range report.Kernels {
			fmt.Fprintf(table, "\t%s", k.cell(row))
		}
		fmt.Fprintln(table)
	}
	fmt.Fprint(table, "power on to power off")
	for _, k := range report.Kernels {
		fmt.Fprintf(table, "\t%.1f s", k.Seconds)
	}
	fmt.Fprintln(table)
	_ = table.Flush() // only fails where the terminal is gone
}

type row struct{ binary, test string }

// rows are all tests that any kernel knows, in the order in which they ran.
func rows(report Report) []row {
	var all []row
	for _, k := range report.Kernels {
		for _, b := range k.Binaries {
			for _, test := range b.Tests {
				if r := (row{b.Name, test.Name}); !test.Sub() && !slices.Contains(all, r) {
					all = append(all, r)
				}
			}
		}
	}
	return all
}

func (r Result) cell(at row) string {
	for _, b := range r.Binaries {
		for _, test := range b.Tests {
			if b.Name == at.binary && test.Name == at.test {
				return fmt.Sprintf("%s %.2f s", test.Result, test.Seconds)
			}
		}
	}
	return "-"
}
