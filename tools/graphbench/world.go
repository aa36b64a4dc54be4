package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"
	"unsafe"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
	"cassini/tools/figures"
	"cassini/tools/graphbench/estate"
	"cassini/tools/graphbench/peer"
)

// world is one estate in the manager's graph and in its peers.
type world struct {
	cfg    config
	estate estate.Estate
	graph  *graph.Graph
	peers  []namedPeer
	report *report
	shape  model.GraphStats
	// steady are Out documents of dependencies, to be sent again with other counters.
	steady []model.Document
	then   []peer.Thing // of the day before
	dir    string
}

type namedPeer struct {
	name string
	*peer.DB
}

// maxSteady bounds the documents that are kept for updates.
const maxSteady = 20_000

// newWorld makes the graph and then its peers. What the graph takes is known before there
// is anything else.
func newWorld(ctx context.Context, cfg config, hosts int) (w *world, err error) {
	w = &world{cfg: cfg, estate: estate.Estate{Hosts: hosts, Seed: cfg.Seed}, report: &report{Hosts: hosts, Begin: time.Now()}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := w.fill(ctx); err != nil {
		return w, err
	}
	if w.dir, err = os.MkdirTemp(cfg.Dir, "graphbench-"); err != nil {
		return w, fmt.Errorf("make a directory for SQLite: %w", err)
	}
	return w, w.fillPeers(ctx)
}

// fillPeers gives the peers the graph as it is after the day that follows, and what is
// compared with that of the day before.
func (w *world) fillPeers(ctx context.Context) error {
	if len(w.cfg.Peers) > 0 {
		w.then = w.things()
	}
	if err := w.applyAll(ctx, w.graph, w.estate.Day(), nil); err != nil {
		return err
	}
	if len(w.cfg.Peers) == 0 {
		return nil
	}
	data := peer.Data{Nodes: w.graph.Nodes(graph.NodeFilter{}), Edges: w.edges, Then: w.then}
	for _, one := range []struct {
		flag, name string
		fill       func() (*peer.DB, error)
	}{
		{"memory", "SQLite, memory", func() (*peer.DB, error) { return peer.FillSQLite(ctx, "", data) }},
		{"file", "SQLite, file", func() (*peer.DB, error) { return peer.FillSQLite(ctx, filepath.Join(w.dir, "graph.db"), data) }},
		{"postgres", "PostgreSQL", func() (*peer.DB, error) { return peer.Postgres(ctx, w.estate.Hosts, data) }},
	} {
		if !slices.Contains(w.cfg.Peers, one.flag) {
			continue
		}
		begin := time.Now()
		db, err := one.fill()
		if errors.Is(err, peer.ErrNotInstalled) {
			w.cfg.Log("NOT COMPARED with %s: %v", one.name, err)
			w.report.Skipped = append(w.report.Skipped, err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("fill %s: %w", one.name, err)
		}
		w.peers = append(w.peers, namedPeer{one.name, db})
		size, err := db.Bytes(ctx)
		if err != nil {
			return fmt.Errorf("measure %s: %w", one.name, err)
		}
		w.report.Peers, w.report.PeerBytes = append(w.report.Peers, one.name), append(w.report.PeerBytes, size)
		w.cfg.Log("%d hosts: filled %s in %s", w.estate.Hosts, one.name, figures.Short(time.Since(begin)))
	}
	return nil
}

// edges are all edges, a few at a time.
func (w *world) edges(yield func(model.Edge) bool) {
	for _, n := range w.graph.Nodes(graph.NodeFilter{}) {
		for _, e := range w.graph.Edges(graph.EdgeFilter{From: n.ID}) {
			if !yield(e) {
				return
			}
		}
	}
}

// things are what differences are told of, as it stands.
func (w *world) things() (list []peer.Thing) {
	for _, n := range w.graph.Nodes(graph.NodeFilter{}) {
		if t, ok := peer.NodeThing(n); ok {
			list = append(list, t)
		}
	}
	for e := range w.edges {
		if t, ok := peer.EdgeThing(e); ok {
			list = append(list, t)
		}
	}
	return list
}

// fill applies the estate's documents, as a manager that receives them.
func (w *world) fill(ctx context.Context) error {
	before := heap()
	w.graph = newGraph()
	begin := time.Now()
	if err := w.applyAll(ctx, w.graph, w.estate.Documents(), w.keep); err != nil {
		return err
	}
	w.report.Filled = time.Since(begin)
	begin = time.Now()
	w.shape = w.graph.Stats() // joins both ends of everything
	w.report.Joined = time.Since(begin)
	w.report.Nodes, w.report.Edges = sum(w.shape.Nodes), sum(w.shape.Edges)
	kept := uint64(cap(w.steady)) * uint64(unsafe.Sizeof(model.Document{}))
	for _, d := range w.steady {
		kept += uint64(len(d.Body) + len(d.Key) + len(d.Host))
	}
	w.report.Heap = heap() - before - kept
	if n := sumOf(w.shape.Rejected); n > 0 {
		return fmt.Errorf("the graph did not understand %d documents: %v", n, w.shape.Rejected)
	}
	w.cfg.Log("%d hosts: %d documents made %d nodes and %d edges", w.estate.Hosts, w.report.Documents, w.report.Nodes, w.report.Edges)
	return nil
}

// newGraph forgets nothing, whatever the size.
func newGraph() *graph.Graph {
	return graph.New(graph.Limits{Dependencies: 1 << 30, Sightings: 1 << 30})
}

// applyAll gives documents to a graph as a manager does that follows its log.
func (w *world) applyAll(ctx context.Context, g *graph.Graph, docs iter.Seq2[model.Document, error], seen func(model.Document)) error {
	some := make([]graph.Logged, 0, batch)
	for doc, err := range docs {
		if err != nil {
			return fmt.Errorf("make a document: %w", err)
		}
		if seen != nil {
			seen(doc)
		}
		if some = append(some, graph.Logged{Key: string(store.NewKey(doc.Time, doc.Name)), Document: doc}); len(some) < batch {
			continue
		}
		if err := w.left(ctx); err != nil {
			return fmt.Errorf("after %s: %w", doc.Host, err)
		}
		g.ApplyAll(graph.DecodeAll(some))
		some = some[:0]
	}
	g.ApplyAll(graph.DecodeAll(some))
	return nil
}

// errMemory says that the process has taken as much as it may.
var errMemory = errors.New("no more memory is to be taken")

// left says whether there are time and memory left.
func (w *world) left(ctx context.Context) error {
	if err := ctx.Err(); err != nil || w.cfg.Memory == 0 {
		return err
	}
	taken := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(taken)
	if taken[0].Value.Uint64()-taken[1].Value.Uint64() > w.cfg.Memory {
		return errMemory
	}
	return nil
}

// keep counts documents, and remembers some dependencies, of all parts of the estate.
func (w *world) keep(doc model.Document) {
	w.report.Documents++
	if doc.Package == model.PackageDependencies && len(w.steady) < maxSteady && w.report.Documents%2 == 0 {
		w.steady = append(w.steady, doc)
	}
}

func (w *world) close() error {
	var errs []error
	for _, p := range w.peers {
		errs = append(errs, p.Close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func sumOf(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}
