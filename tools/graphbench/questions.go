package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"

	"cassini/manager/graph"
	"cassini/model"
	"cassini/tools/graphbench/estate"
	"cassini/tools/graphbench/peer"
)

// question is one that all can answer. What asking returns is turned into text when the
// clock has stopped.
type question struct {
	name  string
	start func(r *rand.Rand) []string // identifiers of nodes
	ours  func(start []string) answer
	peers func(ctx context.Context, db *peer.DB, start []string) (answer, error)
}

// answer is what a question was answered, sorted, in words that can be compared.
type answer func() []string

// questions are all but those of the whole graph.
func (w *world) questions() []question {
	list := []question{w.neighbourhood()}
	for _, depth := range []int{2, 3} {
		list = append(list, w.reach(depth, false), w.reach(depth, true))
	}
	for _, depth := range []int{2, 3} {
		list = append(list, w.full(depth, false), w.full(depth, true))
	}
	return append(list, w.impact("impact of a host", w.randomHost), w.impact("impact of a switch", w.randomSwitch), w.path(), w.cause())
}

func (w *world) randomHost(r *rand.Rand) []string {
	return []string{model.HostID(w.estate.Host(r.IntN(w.estate.Hosts)))}
}

func (w *world) randomSwitch(r *rand.Rand) []string {
	return []string{estate.Switch(r.IntN(w.estate.Hosts))}
}

func (w *world) randomServer(r *rand.Rand) []string {
	return []string{w.estate.Service(w.estate.Pick(r, estate.App+r.IntN(2)))}
}

func (w *world) neighbourhood() question {
	return question{
		name: "neighbourhood, depth 1",
		start: func(r *rand.Rand) []string {
			if r.IntN(2) == 0 {
				return w.randomHost(r)
			}
			return w.randomServer(r)
		},
		ours: func(start []string) answer {
			part, _ := w.graph.Neighbourhood(start[0], 1)
			return func() []string {
				list := texts(part.Nodes, func(n model.Node) string { return n.ID })
				return append(list, texts(part.Edges, func(e model.Edge) string { return e.ID })...)
			}
		},
		peers: func(ctx context.Context, db *peer.DB, start []string) (answer, error) {
			nodes, edges, err := db.Neighbourhood(ctx, start[0])
			return func() []string { return append(names(nodes), names(edges)...) }, err
		},
	}
}

// follow asks for dependencies of a host or, with up, for dependents of a service, by a name of
// the way of asking.
func (w *world) follow(depth int, up bool, how string) (q question, along func(start []string) graph.DependencyFilter) {
	q = question{name: fmt.Sprintf("dependencies of a host, depth %d%s", depth, how), start: w.randomHost}
	if up {
		q = question{name: fmt.Sprintf("dependents of a service, depth %d%s", depth, how), start: w.randomServer}
	}
	return q, func(start []string) graph.DependencyFilter {
		return graph.DependencyFilter{Of: start[0], Down: !up, Up: up, Depth: depth}
	}
}

// reach asks for names and steps alone: what walking costs.
func (w *world) reach(depth int, up bool) question {
	q, along := w.follow(depth, up, "")
	q.ours = func(start []string) answer {
		list, _ := w.graph.Reach(along(start))
		return func() []string {
			return texts(list, func(r model.Reached) string {
				return fmt.Sprint(model.EdgeID(model.EdgeDependsOn, r.Client, r.Server), " ", r.Depth)
			})
		}
	}
	q.peers = func(ctx context.Context, db *peer.DB, start []string) (answer, error) {
		list, err := db.Reach(ctx, start[0], depth, up)
		return func() []string {
			return texts(list, func(s peer.Step) string { return fmt.Sprint(s.Name, " ", s.Depth) })
		}, err
	}
	return q
}

// full asks for all that is known of each: of us for the answer that the API sends, written, of
// peers for the attributes that they have written in their tables.
func (w *world) full(depth int, up bool) question {
	q, along := w.follow(depth, up, ", in full")
	q.ours = func(start []string) answer { return w.dependencies(along(start)) }
	q.peers = func(ctx context.Context, db *peer.DB, start []string) (answer, error) {
		rows, err := db.Dependencies(ctx, start[0], depth, up)
		return func() []string { return names(rows) }, err
	}
	return q
}

func (w *world) impact(name string, start func(*rand.Rand) []string) question {
	return question{
		name: name, start: start,
		ours: func(start []string) answer {
			impact, _ := w.graph.Impact(start[0])
			return func() []string { return texts(impact.Victims, func(v model.Victim) string { return v.ID }) }
		},
		peers: func(ctx context.Context, db *peer.DB, start []string) (answer, error) {
			rows, err := db.Impact(ctx, start[0])
			return func() []string { return names(rows) }, err
		},
	}
}

// path compares how long the ways are: there may be several of the shortest.
func (w *world) path() question {
	return question{
		name: "path between a web host and a database's",
		start: func(r *rand.Rand) []string {
			return []string{model.HostID(w.estate.Host(w.estate.Pick(r, estate.Web))), model.HostID(w.estate.Host(w.estate.Pick(r, estate.DB)))}
		},
		ours: func(start []string) answer {
			steps, _ := w.graph.Path(start[0], start[1])
			return func() []string { return make([]string, len(steps)) }
		},
		peers: func(ctx context.Context, db *peer.DB, start []string) (answer, error) {
			steps, err := db.Path(ctx, start[0], start[1])
			return func() []string { return make([]string, steps) }, err
		},
	}
}

// cause asks what explains that up to ten clients of one service are ill. Of those with as
// many victims, any may come first.
func (w *world) cause() question {
	const symptoms, wanted = 10, 5
	return question{
		name: fmt.Sprintf("cause of up to %d symptoms", symptoms),
		start: func(r *rand.Rand) []string {
			for {
				server := w.randomServer(r)[0]
				all, _ := w.graph.Dependencies(graph.DependencyFilter{Of: server, Up: true, Depth: 1})
				var list []string
				for _, d := range all[:min(len(all), symptoms)] {
					list = append(list, d.Client.ID)
				}
				if len(list) > 1 {
					return list
				}
			}
		},
		ours: func(start []string) answer {
			d, _ := graph.Diagnose(w.graph, w.graph, estate.Begin, start, wanted)
			return func() (list []string) {
				for _, e := range d.Explanations {
					for _, c := range e.Causes {
						list = append(list, strconv.Itoa(c.Victims))
					}
				}
				return list
			}
		},
		peers: func(ctx context.Context, db *peer.DB, start []string) (answer, error) {
			all, err := db.Cause(ctx, start)
			return func() (list []string) {
				for _, c := range all[:min(len(all), wanted)] {
					list = append(list, strconv.Itoa(c.Victims))
				}
				return list
			}, err
		},
	}
}

// difference asks what came, went and changed since the day before.
func (w *world) difference(then *graph.Graph) question {
	return question{
		name:  "diff of a day",
		start: func(*rand.Rand) []string { return nil },
		ours: func([]string) answer {
			d := graph.DiffGraphs(then, w.graph)
			return func() []string {
				var list []string
				for what, changes := range map[string][]model.Change{"came": d.Came, "went": d.Went, "changed": d.Changed} {
					for _, c := range changes {
						list = append(list, what+" "+c.ID)
					}
				}
				slices.Sort(list)
				return list
			}
		},
		peers: func(ctx context.Context, db *peer.DB, _ []string) (answer, error) {
			rows, err := db.Diff(ctx)
			return func() []string { return texts(rows, func(r peer.Row) string { return r.Name + " " + r.Text }) }, err
		},
	}
}

// dependencies asks for them as the API does, which writes what it gets as it is.
func (w *world) dependencies(f graph.DependencyFilter) answer {
	written, _, err := w.graph.DependenciesWritten(f)
	return func() []string {
		var body bytes.Buffer
		var list []model.DependencyView
		if err == nil {
			_, err = written.WriteTo(&body)
		}
		written.Done()
		if err := errors.Join(err, json.Unmarshal(body.Bytes(), &list)); err != nil {
			return []string{err.Error()} // which no peer says
		}
		return texts(list, func(d model.DependencyView) string { return d.ID })
	}
}

// sent asks for dependencies in full and does with them what the API does, which sends an answer and
// has its memory used again. Nobody compares what was said.
func (w *world) sent(depth int) question {
	q := w.full(depth, false)
	_, along := w.follow(depth, false, "")
	q.ours = func(start []string) answer {
		written, _, err := w.graph.DependenciesWritten(along(start))
		_, failed := written.WriteTo(io.Discard)
		written.Done()
		return func() []string {
			if err := errors.Join(err, failed); err != nil {
				return []string{err.Error()}
			}
			return nil
		}
	}
	return q
}

func names(rows []peer.Row) []string { return texts(rows, func(r peer.Row) string { return r.Name }) }

func texts[T any](list []T, text func(T) string) []string {
	all := make([]string, 0, len(list))
	for _, x := range list {
		all = append(all, text(x))
	}
	slices.SortFunc(all, cmp.Compare[string])
	return all
}
