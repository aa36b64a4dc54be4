package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is all that was measured of one estate.
type report struct {
	Hosts, Nodes, Edges, Documents int
	Begin                          time.Time
	Took                           time.Duration
	Filled, Joined                 time.Duration
	Heap                           uint64 // bytes, with everything in
	PeerBytes                      int64  // of the database's file
	Rows                           []row
	Points                         points
	Updates                        []update
}

// row is a question with how long each took, Cassini first.
type row struct {
	Name    string
	Samples int
	Items   []int // in the answers
	Times   [][]time.Duration
	GaveUp  []time.Duration // by peer: patience, where it ended
}

// points are of single points of failure.
type points struct {
	Found, Candidates int
	Ours              time.Duration
	Asked             []int           // of candidates, by peer
	Peers             []time.Duration // for all candidates, by peer
}

// update is how fast one takes in what changed, and how long it lets wait meanwhile.
type update struct {
	What, By  string
	PerSecond float64
	Asked     []time.Duration
}

// markdown writes the tables.
func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n%d hosts: %d nodes and %d edges of %d documents, %d cores, %s, the run took %v. ",
		r.Hosts, r.Nodes, r.Edges, r.Documents, runtime.NumCPU(), r.Begin.Format(time.DateOnly), r.Took.Round(time.Second))
	fmt.Fprintf(w, "Documents applied in %s, joined in %s. Heap: %d bytes an edge, all in; SQLite's file: %d.\n\n",
		short(r.Filled), short(r.Joined), r.Heap/uint64(r.Edges), r.PeerBytes/int64(r.Edges))
	fmt.Fprintln(w, "| question (samples; median size of the answer) | Cassini: median, p99 | SQLite in memory | SQLite, file | the better of SQLite's against Cassini: median, p99 |\n|---|---|---|---|---|")
	for _, q := range r.Rows {
		fmt.Fprintln(w, q.markdown())
	}
	p := r.Points
	fmt.Fprintf(w, "| every single point of failure (%d of %d candidates) | %s |", p.Found, p.Candidates, short(p.Ours))
	for i, t := range p.Peers {
		fmt.Fprintf(w, " %s |", p.peer(i, t))
	}
	fmt.Fprintf(w, " %s |\n", times(float64(slices.Min(p.Peers))/float64(p.Ours)))
	fmt.Fprintln(w, "\n| updates while one asks | by | edges a second | meanwhile an answer takes: median, p99 |\n|---|---|---|---|")
	for _, u := range r.Updates {
		fmt.Fprintf(w, "| %s | %s | %.0f | %s, %s |\n", u.What, u.By, u.PerSecond, short(quantile(u.Asked, 0.5)), short(quantile(u.Asked, 0.99)))
	}
}

// markdown is the row of a table.
func (q row) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s (%d; %d) |", q.Name, q.Samples, quantile(q.Items, 0.5))
	for i, times := range q.Times {
		if i > 0 && q.GaveUp[i-1] > 0 {
			fmt.Fprintf(&b, " given up after %s |", short(q.GaveUp[i-1]))
			continue
		}
		fmt.Fprintf(&b, " %s, %s |", short(quantile(times, 0.5)), short(quantile(times, 0.99)))
	}
	fmt.Fprintf(&b, " %s, %s |", q.ratio(0.5), q.ratio(0.99))
	return b.String()
}

// peer says how long a peer takes for all candidates, and whether that is worked out from some.
func (p points) peer(i int, t time.Duration) string {
	if p.Asked[i] == p.Candidates {
		return short(t)
	}
	return fmt.Sprintf("%s, from %d candidates", short(t), p.Asked[i])
}

// ratio is of the better peer's quantile to Cassini's; where all were given up, of patience.
func (q row) ratio(of float64) string {
	best, patience := math.Inf(1), 0.0
	for i, peer := range q.Times[1:] {
		if q.GaveUp[i] > 0 {
			patience = float64(q.GaveUp[i])
			continue
		}
		best = min(best, float64(quantile(peer, of)))
	}
	if math.IsInf(best, 1) {
		return "over " + times(patience/float64(quantile(q.Times[0], of)))
	}
	return times(best / float64(quantile(q.Times[0], of)))
}

func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("%.1f", ratio)
	}
	return fmt.Sprintf("%.0f", ratio)
}

// quantile is the nearest rank; with less than 100 values the 99th percentile is the greatest.
func quantile[T int | time.Duration](values []T, of float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(of*float64(len(sorted))))-1)]
}

// short is a duration with two or three digits that count.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(max(1, unit/100)).String()
		}
	}
	return d.String()
}
