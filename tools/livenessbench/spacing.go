package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cassini/tools/estate/fleet"
)

// Spacing is how heartbeats came to the receivers' kernels. Their histograms have
// buckets of powers of two: a quantile is at most the end of its bucket.
type Spacing struct {
	Under       string  `json:"under"`
	Heartbeats  uint64  `json:"heartbeats"`
	P50         float64 `json:"p50_at_most_ms"`
	P99         float64 `json:"p99_at_most_ms"`
	P999        float64 `json:"p999_at_most_ms"`
	Lateness999 float64 `json:"lateness_p999_at_most_ms"` // behind the interval, jitter included
	// Late are how many came so much behind the interval, jitter included.
	Late   []Beyond `json:"later_than_the_interval"`
	Deaths int      `json:"false_deaths"`
	Said   []string `json:"said,omitempty"`
	CPU    float64  `json:"cpu_ms"`
	Silent uint64   `json:"expiries"` // times that a neighbor was silent for too long
}

// Beyond counts heartbeats whose spacing exceeds the interval by more than Ms.
type Beyond struct {
	Ms    float64 `json:"by_more_than_ms"`
	Count uint64  `json:"heartbeats"`
}

// Metrics of an agent that are of use here.
const (
	metricSpacing  = "cassini_heartbeat_spacing_seconds"
	metricLateness = "cassini_heartbeat_lateness_seconds"
	metricExpiries = "cassini_heartbeat_expiries_total"
)

// histogram is cumulative counts by the end of a bucket in seconds.
type histogram map[float64]uint64

// beats is what all agents' kernels counted so far.
type beats struct {
	spacing, lateness histogram
	expiries          uint64
}

// measureSpacing looks at a span.
func measureSpacing(ctx context.Context, r *rig, s system, under string, span time.Duration) (Spacing, error) {
	result := Spacing{Under: under}
	began := time.Now()
	before, err := readBeats(ctx, r)
	if err != nil {
		return result, err
	}
	load, err := measureLoad(ctx, s, r.hosts, span, 0)
	if err != nil {
		return result, err
	}
	after, err := readBeats(ctx, r)
	if err != nil {
		return result, err
	}
	spacing, lateness := after.spacing.minus(before.spacing), after.lateness.minus(before.lateness)
	said, err := s.sayings(began)
	result.Heartbeats = spacing.total()
	result.P50, result.P99, result.P999 = 1000*spacing.quantile(0.5), 1000*spacing.quantile(0.99), 1000*spacing.quantile(0.999)
	result.Lateness999 = 1000 * lateness.quantile(0.999)
	for _, bound := range []float64{0.131072, 0.262144, 0.524288, 1.048576} {
		result.Late = append(result.Late, Beyond{Ms: bound * 1000, Count: lateness.total() - lateness[bound]})
	}
	result.Deaths, result.Said, result.CPU = countDeaths(said, nil), summarize(said), load.CPU
	result.Silent = after.expiries - before.expiries
	return result, err
}

// readBeats asks all agents, each in its namespace.
func readBeats(ctx context.Context, r *rig) (beats, error) {
	b := beats{spacing: make(histogram), lateness: make(histogram)}
	for _, h := range r.hosts {
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
				return conn, r.Do(h, func() (err error) {
					conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
					return err
				})
			},
		}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+fleet.AgentPort+"/metrics", nil)
		if err != nil {
			return b, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return b, fmt.Errorf("read metrics of %s: %w", h, err)
		}
		err = b.take(resp.Body)
		resp.Body.Close()
		if err != nil {
			return b, fmt.Errorf("read metrics of %s: %w", h, err)
		}
	}
	return b, nil
}

// take adds the metrics of one agent.
func (b *beats) take(text io.Reader) error {
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), "} ")
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		into := b.spacing
		switch {
		case strings.HasPrefix(name, metricExpiries):
			b.expiries += uint64(n)
			continue
		case strings.HasPrefix(name, metricLateness+"_bucket"):
			into = b.lateness
		case !strings.HasPrefix(name, metricSpacing+"_bucket"):
			continue
		}
		_, le, _ := strings.Cut(name, `le="`)
		end, err := strconv.ParseFloat(strings.TrimSuffix(le, `"`), 64)
		if err != nil {
			return err
		}
		into[end] += uint64(n)
	}
	return lines.Err()
}

func (h histogram) minus(earlier histogram) histogram {
	d := make(histogram)
	for end, n := range h {
		d[end] = n - earlier[end]
	}
	return d
}

func (h histogram) ends() []float64 {
	var ends []float64
	for end := range h {
		ends = append(ends, end)
	}
	slices.Sort(ends)
	return ends
}

func (h histogram) total() uint64 {
	if ends := h.ends(); len(ends) > 0 {
		return h[ends[len(ends)-1]]
	}
	return 0
}

// quantile is the end of the bucket that holds it.
func (h histogram) quantile(q float64) float64 {
	want := q * float64(h.total())
	for _, end := range h.ends() {
		if float64(h[end]) >= want {
			return end
		}
	}
	return 0
}

// keepBusy occupies both cores, or as many as there are, until it is told to stop.
func keepBusy(n int) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	var all []*exec.Cmd
	stop = func() {
		for _, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	for range n {
		cmd := exec.Command(self, roleBusy)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			stop()
			return nil, fmt.Errorf("keep a core busy: %w", err)
		}
		all = append(all, cmd)
	}
	return stop, nil
}
