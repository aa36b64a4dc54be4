package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"cassini/tools/bench"
	"cassini/tools/figures"
)

// series are what is looked at each minute. What may grow by its nature is not judged: it
// has a bound of its own.
type series struct {
	name   string
	metric string  // of the manager, the sum of its series; "" is measured otherwise
	part   float64 // by which it may grow from the middle third of a run to the last
	more   float64 // and besides
	bytes  bool
	free   bool // to grow
}

const mib = 1 << 20

func allSeries() []series {
	return []series{
		{name: "heap after GC", metric: "go_memstats_heap_alloc_bytes", part: 0.10, more: 2 * mib, bytes: true},
		{name: "resident", part: 0.25, more: 8 * mib, bytes: true},
		{name: "documents.db", part: 0.10, more: 2 * mib, bytes: true},
		{name: "rings.db", part: 0.10, more: mib / 4, bytes: true},
		{name: "enroll.db", part: 0.10, more: mib / 4, bytes: true},
		{name: "audit.db", bytes: true, free: true}, // 100,000 entries
		{name: "goroutines", metric: "go_goroutines", part: 0.10, more: 50},
		{name: "open files", metric: "process_open_fds", part: 0.10, more: 50},
		{name: "log entries", metric: "cassini_store_documents", part: 0.10, more: 200},
		{name: "names", metric: "cassini_store_names", part: 0.10, more: 200},
		{name: "nodes", metric: "cassini_graph_nodes", part: 0.10, more: 200},
		{name: "edges", metric: "cassini_graph_edges", part: 0.10, more: 200},
		{name: "services", metric: "cassini_services", part: 0.10, more: 100},
		{name: "hosts on rings", metric: "cassini_hosts", part: 0.10, more: 30},
		{name: "rings", metric: "cassini_rings", part: 0.10, more: 30},
		{name: "incidents", metric: "cassini_incidents", part: 0.10, more: 50},
		{name: "hosts forgotten", metric: "cassini_hosts_forgotten_total", free: true},
		{name: "documents withdrawn", metric: "cassini_documents_withdrawn_total", free: true},
	}
}

// sample is what there was at a moment, in the order of allSeries.
type sample struct {
	At     time.Duration
	Values []float64
}

// watcher measures a manager.
type watcher struct {
	p      *process
	dir    string
	token  string
	client *http.Client
}

func newWatcher(p *process, dir string) (*watcher, error) {
	token, err := os.ReadFile(filepath.Join(dir, "admin.token"))
	if err != nil {
		return nil, fmt.Errorf("read the administrator's token: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the manager's authority: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}, DisableKeepAlives: true}
	return &watcher{p: p, dir: dir, token: strings.TrimSpace(string(token)), client: &http.Client{Transport: transport}}, nil
}

// ask asks the manager as its administrator.
func (w *watcher) ask(ctx context.Context, method, target string, body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a question: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.p.url+target, bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("ask the manager: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the manager: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the manager answers %s: %s", resp.Status, answer)
	}
	return answer, err
}

// sample measures, after the manager has collected its garbage.
func (w *watcher) sample(ctx context.Context) (s sample, err error) {
	if _, err := w.ask(ctx, http.MethodGet, "/debug/pprof/heap?gc=1", nil); err != nil {
		return s, err
	}
	raw, err := w.ask(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return s, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	metrics, err := parser.TextToMetricFamilies(bytes.NewReader(raw))
	if err != nil {
		return s, fmt.Errorf("read the manager's metrics: %w", err)
	}
	use, err := bench.Memory(w.p.pid())
	if err != nil {
		return s, err
	}
	for _, of := range allSeries() {
		var value float64
		switch {
		case of.name == "resident":
			value = float64(use.Own)
		case of.metric == "":
			info, err := os.Stat(filepath.Join(w.dir, of.name))
			if err != nil {
				return s, fmt.Errorf("measure the data directory: %w", err)
			}
			value = float64(info.Size())
		default:
			family := metrics[of.metric]
			if family == nil {
				return s, fmt.Errorf("the manager has no metric %s", of.metric)
			}
			value = sum(family)
		}
		s.Values = append(s.Values, value)
	}
	return s, nil
}

func sum(family *dto.MetricFamily) (all float64) {
	for _, m := range family.Metric {
		all += m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
	}
	return all
}

// head begins the table of samples.
func (w *watcher) head() string {
	var names, lines strings.Builder
	for _, s := range allSeries() {
		names.WriteString(" " + s.name + " |")
		lines.WriteString("---|")
	}
	return "\n| minute |" + names.String() + "\n|---|" + lines.String()
}

func (s sample) row() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %d |", int(s.At.Round(time.Minute)/time.Minute))
	for i, of := range allSeries() {
		b.WriteString(" " + of.show(s.Values[i]) + " |")
	}
	return b.String()
}

func (s series) show(value float64) string {
	if s.bytes {
		return figures.Bytes(int64(value))
	}
	return figures.Count(value)
}

// errGrows says that something grew beyond what is allowed.
var errGrows = errors.New("it grows")

// judge compares the middle third of a run with the last, by their medians: what is bounded
// stands still by then.
func judge(samples []sample, out io.Writer) (err error) {
	third := len(samples) / 3
	fmt.Fprintln(out, "\n| what | middle third | last third | allowed | |\n|---|---|---|---|---|")
	for i, of := range allSeries() {
		if of.free {
			continue
		}
		middle, last := median(samples[third:len(samples)-third], i), median(samples[len(samples)-third:], i)
		allowed, verdict := middle*(1+of.part)+of.more, "flat"
		if last > allowed {
			verdict = "GROWS"
			err = errors.Join(err, fmt.Errorf("%s: %w: from %s to %s, %s are allowed", of.name, errGrows, of.show(middle), of.show(last), of.show(allowed)))
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", of.name, of.show(middle), of.show(last), of.show(allowed), verdict)
	}
	return err
}

func median(samples []sample, of int) float64 {
	values := make([]float64, 0, len(samples))
	for _, s := range samples {
		values = append(values, s.Values[of])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// tokenFor makes a token by which one host joins anew, as an administrator does.
func (c *churn) tokenFor(ctx context.Context, host string) (string, error) {
	raw, err := c.watch.ask(ctx, http.MethodPost, "/api/v1/tokens", map[string]string{"role": "agent", "host": host})
	if err != nil {
		return "", err
	}
	var made struct{ Text string }
	if err := json.Unmarshal(raw, &made); err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	return made.Text, nil
}
