package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Report is all that one run measured.
type Report struct {
	Begin   time.Time     `json:"begin"`
	Took    time.Duration `json:"took"`
	Kernel  string        `json:"kernel"`
	CPUs    int           `json:"cpus"`
	Span    float64       `json:"span_seconds"`
	Results []*Result     `json:"results"`
	Spacing []Spacing     `json:"spacing,omitempty"`
}

// Result is of one system at one size.
type Result struct {
	System  string    `json:"system"`
	Hosts   int       `json:"hosts"`
	Without float64   `json:"busy_cores_without"` // before any agent ran
	Whole   float64   `json:"whole_after_seconds"`
	Loads   []Load    `json:"loads"`
	Crashes []Crashes `json:"crashes,omitempty"`
	Frozen  *Frozen   `json:"frozen,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
}

func newReport(cfg config) *Report {
	var name unix.Utsname
	_ = unix.Uname(&name)
	return &Report{Begin: time.Now(), Kernel: unix.ByteSliceToString(name.Release[:]), CPUs: runtime.NumCPU(), Span: cfg.Span.Seconds()}
}

func (r *Report) finish() { r.Took = time.Since(r.Begin).Round(time.Second) }

func (r *Report) save(path string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}

// markdown writes the tables.
func (r *Report) markdown(w io.Writer) {
	fmt.Fprintf(w, "%d cores, Linux %s, %s, load over %.0f s each, the run took %v.\n", r.CPUs, r.Kernel, r.Begin.Format(time.DateOnly), r.Span, r.Took)
	r.loads(w)
	r.crashes(w)
	r.frozen(w)
	r.spacings(w)
	for _, one := range r.Results {
		for _, note := range one.Notes {
			fmt.Fprintf(w, "\n%s, %d hosts: %s\n", one.System, one.Hosts, note)
		}
	}
}

func (r *Report) loads(w io.Writer) {
	fmt.Fprintf(w, "\n| system | hosts | lost | packets/s/host | of that UDP | bytes/s/host | CPU ms/s/host | machine ms/s/host | manager CPU ms/s | resident (own) MiB | false deaths | CPU pressure |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, one := range r.Results {
		for _, l := range one.Loads {
			fmt.Fprintf(w, "| %s | %d | %v%% | %.2f | %.2f | %.0f | %.3f | %.2f | %.2f | %.1f (%.1f) | %d | %.0f%% |\n",
				one.System, one.Hosts, l.Loss, l.Packets, l.UDP, l.Bytes, l.CPU, l.Machine, l.Manager, l.Resident, l.Own, l.Deaths, l.Pressure)
		}
	}
}

func (r *Report) crashes(w io.Writer) {
	fmt.Fprintf(w, "\n| system | hosts | lost | crashes known to be deaths | median | maximum | to half the nodes: median | maximum | known otherwise | median | maximum | missed | false deaths | CPU pressure | verdicts with doubts |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, one := range r.Results {
		for _, c := range one.Crashes {
			fmt.Fprintf(w, "| %s | %d | %v%% | %d | %s | %s | %d | %s | %d | %d | %.0f%% | %s |\n",
				one.System, one.Hosts, c.Loss, len(c.First), spread(c.First), spread(c.Half), len(c.Otherwise), spread(c.Otherwise), len(c.Missed), c.Deaths, c.Pressure, strings.Join(c.Doubts, ", "))
		}
	}
}

// spread is the median and the maximum.
func spread(seconds []float64) string {
	if len(seconds) == 0 {
		return "- | -"
	}
	return fmt.Sprintf("%.2f s | %.2f s", median(seconds), slices.Max(seconds))
}

func (r *Report) frozen(w io.Writer) {
	fmt.Fprintf(w, "\n| system | hosts | frozen for | deaths said of hosts not frozen | of frozen ones | of both, by hosts not frozen | what was said |\n|---|---|---|---|---|---|---|\n")
	for _, one := range r.Results {
		if f := one.Frozen; f != nil {
			fmt.Fprintf(w, "| %s | %d | %.0f s | %d | %d | %d | %s |\n",
				one.System, one.Hosts, f.Seconds, f.OfOthers, f.OfFrozen, f.ByLiving, strings.Join(f.Said, ", "))
		}
	}
}

func (r *Report) spacings(w io.Writer) {
	if len(r.Spacing) == 0 {
		return
	}
	fmt.Fprintf(w, "\n| heartbeats every second, jitter a quarter | came | spacing p50 | p99 | p99.9 | lateness p99.9 | later than the interval by 131 ms | 262 ms | 524 ms | 1,049 ms | windows expired | false deaths |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range r.Spacing {
		fmt.Fprintf(w, "| %s | %d | <= %.0f ms | <= %.0f ms | <= %.0f ms | <= %.0f ms |", s.Under, s.Heartbeats, s.P50, s.P99, s.P999, s.Lateness999)
		for _, late := range s.Late {
			fmt.Fprintf(w, " %d |", late.Count)
		}
		fmt.Fprintf(w, " %d | %d |\n", s.Silent, s.Deaths)
	}
}
