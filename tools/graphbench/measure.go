package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"cassini/manager/graph"
	"cassini/model"
	"cassini/tools/figures"
	"cassini/tools/graphbench/estate"
)

// ours is how Cassini is called in tables.
const ours = "Cassini"

// measure makes an estate of a size and asks everything.
func measure(ctx context.Context, cfg config, hosts int) (r *report, err error) {
	begin := time.Now()
	w, err := newWorld(ctx, cfg, hosts)
	r = w.report
	defer func() { r.Took = time.Since(begin) }()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, q := range w.questions() {
		row, err := w.ask(ctx, q)
		if err != nil {
			return r, fmt.Errorf("ask for %s: %w", q.name, err)
		}
		r.Rows = append(r.Rows, row)
		cfg.Log("%d hosts: %s", hosts, row.markdown())
	}
	steps := []func(context.Context) error{w.askPoints, w.askDifference, w.update} // counts differ after updates
	if len(w.peers) == 0 {
		steps = []func(context.Context) error{w.askPoints, w.update, w.askDifference} // takes as much again
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (w *world) askPoints(ctx context.Context) (err error) {
	if w.report.Points, err = w.points(ctx); err != nil {
		return fmt.Errorf("ask for single points of failure: %w", err)
	}
	return nil
}

func (w *world) update(ctx context.Context) (err error) {
	if w.report.Updates, err = w.updates(ctx); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

// askDifference replays the graph of the day before and compares. That graph is let go
// afterwards.
func (w *world) askDifference(ctx context.Context) error {
	then := newGraph()
	begin := time.Now()
	if err := w.applyAll(ctx, then, w.estate.Documents(), nil); err != nil {
		return fmt.Errorf("replay the day before: %w", err)
	}
	then.Stats()    // joins both ends of everything
	then.SumUp(ctx) // as a manager does
	w.report.Replayed = time.Since(begin)
	begin = time.Now()
	w.graph.SumUp(ctx) // which a manager does meanwhile
	w.cfg.Log("%d hosts: sums of all nodes in %s", w.estate.Hosts, figures.Short(time.Since(begin)))
	row, err := w.ask(ctx, w.difference(then))
	w.report.Rows = append(w.report.Rows, row)
	if err != nil {
		return fmt.Errorf("ask for differences: %w", err)
	}
	w.cfg.Log("%d hosts: %s", w.estate.Hosts, row.markdown())
	return nil
}

// random is a source of its own for each purpose. What one question made ready, such as texts
// that are kept, would flatter another that began at the same starts.
func (w *world) random(purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose)) // never fails
	return rand.New(rand.NewPCG(w.cfg.Seed, h.Sum64()))
}

// ask puts a question to all, by turns, from as many starts as the budget allows, and
// compares what they say.
func (w *world) ask(ctx context.Context, q question) (row, error) {
	r := w.random(q.name)
	result := row{Name: q.name, Times: make([][]time.Duration, 1+len(w.peers)), GaveUp: make([]time.Duration, len(w.peers))}
	begin := time.Now()
	for ; result.Samples < w.cfg.Samples && (result.Samples < w.cfg.Least || time.Since(begin) < w.cfg.Budget); result.Samples++ {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		start := q.start(r)
		at := time.Now()
		want := q.ours(start)
		result.Times[0] = append(result.Times[0], time.Since(at))
		expected := want()
		result.Items = append(result.Items, len(expected))
		for i, p := range w.peers {
			if result.GaveUp[i] > 0 {
				continue
			}
			at := time.Now()
			patient, cancel := context.WithTimeout(ctx, w.cfg.Patience)
			got, err := q.peers(patient, p.DB, start)
			late := patient.Err() != nil && ctx.Err() == nil
			cancel()
			if late {
				result.GaveUp[i] = w.cfg.Patience
				continue
			}
			result.Times[i+1] = append(result.Times[i+1], time.Since(at))
			if err != nil {
				return result, fmt.Errorf("%s, from %v: %w", p.name, start, err)
			}
			if err := same(expected, got()); err != nil {
				return result, fmt.Errorf("%s does not say the same as %s, from %v: %w", p.name, ours, start, err)
			}
		}
	}
	return result, nil
}

// same says where two sorted lists differ.
func same(a, b []string) error {
	if slices.Equal(a, b) {
		return nil
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("%d and %d entries, the first that differ are %s and %s", len(a), len(b), a[i], b[i])
		}
	}
	return fmt.Errorf("%d and %d entries", len(a), len(b))
}

// points are the single points of failure of the whole, asked first and again. A peer is asked of each candidate
// by itself, of so many random ones as the budget allows.
func (w *world) points(ctx context.Context) (p points, err error) {
	begin := time.Now()
	list, _ := w.graph.SinglePoints("")
	p.Ours, p.Found = time.Since(begin), len(list)
	begin = time.Now()
	if again, _ := w.graph.SinglePoints(""); !slices.Equal(again, list) {
		return p, errors.New("single points of failure, asked again, are others")
	}
	p.Again = time.Since(begin)
	w.cfg.Log("%d hosts: %d single points of failure in %s, asked again %s", w.estate.Hosts, p.Found, figures.Short(p.Ours), figures.Short(p.Again))
	known := make(map[string]model.SinglePoint, len(list))
	for _, one := range list {
		known[one.ID] = one
	}
	candidates := w.candidates()
	p.Candidates = len(candidates)
	for _, one := range w.peers {
		asked, begin := 0, time.Now()
		for ; asked < len(candidates) && (asked < w.cfg.Least || time.Since(begin) < w.cfg.Budget); asked++ {
			id := candidates[asked]
			hosts, services, err := one.Point(ctx, id)
			if err != nil {
				return p, fmt.Errorf("%s, of %s: %w", one.name, id, err)
			}
			if k := known[id]; k.Hosts != hosts || k.Services != services {
				return p, fmt.Errorf("%s does not say the same as %s: with %s fall %d hosts and %d services, or %d and %d",
					one.name, ours, id, hosts, services, k.Hosts, k.Services)
			}
		}
		p.Asked = append(p.Asked, asked)
		p.Peers = append(p.Peers, time.Since(begin)/time.Duration(asked)*time.Duration(len(candidates)))
	}
	return p, nil
}

// candidates are what can fail, in a random order.
func (w *world) candidates() (ids []string) {
	for _, n := range w.graph.Nodes(graph.NodeFilter{Kinds: []string{model.KindHost, model.KindSwitch, model.KindSwitchPort, model.KindService}}) {
		ids = append(ids, n.ID)
	}
	slices.SortFunc(ids, strings.Compare)
	w.random("candidates").Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

// beside are the questions that are asked while the graph is updated.
func (w *world) beside() []question {
	return []question{w.neighbourhood(), w.sent(2), w.impact("impact", func(r *rand.Rand) []string {
		return []string{model.HostID(w.estate.Host(w.estate.Pick(r, estate.Web)))}
	})}
}
