package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"cassini/tools/figures"
)

// report is all that was measured of one estate.
type report struct {
	Hosts, Nodes, Edges, Documents int
	Begin                          time.Time
	Took                           time.Duration
	Filled, Joined                 time.Duration
	Replayed                       time.Duration // the graph of the day before, from its documents
	Heap                           uint64        // bytes, with everything in
	Peers                          []string
	PeerBytes                      []int64  // of each peer
	Skipped                        []string // why there are not more peers
	Rows                           []row
	Points                         points
	Updates                        []update
	Unfinished                     string // why it ended before its end
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
	Ours, Again       time.Duration
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
	fmt.Fprintf(w, "Documents applied in %s, joined in %s; the graph of the day before replayed and joined in %s. Bytes an edge, all in: %d of heap",
		figures.Short(r.Filled), figures.Short(r.Joined), figures.Short(r.Replayed), r.Heap/uint64(max(r.Edges, 1)))
	for i, name := range r.Peers {
		fmt.Fprintf(w, "; %s: %d", name, r.PeerBytes[i]/int64(max(r.Edges, 1)))
	}
	fmt.Fprintln(w, ".")
	if r.Unfinished != "" {
		fmt.Fprintf(w, "\nNot finished, 0 stands for what was not reached: %s.\n", r.Unfinished)
	}
	for _, why := range r.Skipped {
		fmt.Fprintf(w, "\nNot compared: %s.\n", why)
	}
	fmt.Fprint(w, "\n| question (samples; median size of the answer) | Cassini: median, p99 |")
	for _, name := range r.Peers {
		fmt.Fprintf(w, " %s |", name)
	}
	fmt.Fprintln(w, " the better peer's against Cassini's: median, p99 |\n|---|---|"+strings.Repeat("---|", len(r.Peers)+1))
	for _, q := range r.Rows {
		fmt.Fprintln(w, q.markdown())
	}
	p := r.Points
	fmt.Fprintf(w, "| every single point of failure (%d of %d candidates) | %s, again %s |", p.Found, p.Candidates, figures.Short(p.Ours), figures.Short(p.Again))
	for i, t := range p.Peers {
		fmt.Fprintf(w, " %s |", p.peer(i, t))
	}
	if len(p.Peers) > 0 {
		fmt.Fprintf(w, " %s |", times(float64(slices.Min(p.Peers))/float64(p.Ours)))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "\n| updates while one asks | by | edges a second | meanwhile an answer takes: median, p99 |\n|---|---|---|---|")
	for _, u := range r.Updates {
		fmt.Fprintf(w, "| %s | %s | %.0f | %s, %s |\n", u.What, u.By, u.PerSecond, figures.Short(figures.Quantile(u.Asked, 0.5)), figures.Short(figures.Quantile(u.Asked, 0.99)))
	}
}

// markdown is the row of a table.
func (q row) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s (%d; %d) |", q.Name, q.Samples, figures.Quantile(q.Items, 0.5))
	for i, times := range q.Times {
		if i > 0 && q.GaveUp[i-1] > 0 {
			fmt.Fprintf(&b, " given up after %s |", figures.Short(q.GaveUp[i-1]))
			continue
		}
		fmt.Fprintf(&b, " %s, %s |", figures.Short(figures.Quantile(times, 0.5)), figures.Short(figures.Quantile(times, 0.99)))
	}
	fmt.Fprintf(&b, " %s, %s |", q.ratio(0.5), q.ratio(0.99))
	return b.String()
}

// peer says how long a peer takes for all candidates, and whether that is worked out from some.
func (p points) peer(i int, t time.Duration) string {
	if p.Asked[i] == p.Candidates {
		return figures.Short(t)
	}
	return fmt.Sprintf("%s, from %d candidates", figures.Short(t), p.Asked[i])
}

// ratio is of the better peer's quantile to Cassini's; where all were given up, of patience.
func (q row) ratio(of float64) string {
	best, patience := math.Inf(1), 0.0
	for i, peer := range q.Times[1:] {
		if q.GaveUp[i] > 0 {
			patience = float64(q.GaveUp[i])
			continue
		}
		best = min(best, float64(figures.Quantile(peer, of)))
	}
	if math.IsInf(best, 1) && patience == 0 {
		return "-" // nobody to compare with
	}
	if math.IsInf(best, 1) {
		return "over " + times(patience/float64(figures.Quantile(q.Times[0], of)))
	}
	return times(best / float64(figures.Quantile(q.Times[0], of)))
}

func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("%.1f", ratio)
	}
	return fmt.Sprintf("%.0f", ratio)
}
