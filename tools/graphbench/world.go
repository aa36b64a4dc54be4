package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
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
	all := w.graph.Graph(graph.GraphFilter{})
	for _, one := range []struct{ name, path string }{{"SQLite, memory", ""}, {"SQLite, file", filepath.Join(w.dir, "graph.db")}} {
		db, err := peer.Fill(ctx, one.path, all)
		if err != nil {
			return w, fmt.Errorf("fill %s: %w", one.name, err)
		}
		w.peers = append(w.peers, namedPeer{one.name, db})
		cfg.Log("%d hosts: filled %s", hosts, one.name)
	}
	w.report.PeerBytes, err = w.peers[1].Bytes(ctx)
	return w, err
}

// fill applies the estate's documents, as a manager that receives them.
func (w *world) fill(ctx context.Context) error {
	before := heap()
	// Whatever the size, nothing is to be forgotten.
	w.graph = graph.New(graph.Limits{Dependencies: 1 << 30, Sightings: 1 << 30})
	begin := time.Now()
	for doc, err := range w.estate.Documents() {
		if err != nil {
			return fmt.Errorf("make a document: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		w.apply(doc)
		w.report.Documents++
		w.keep(doc)
	}
	w.report.Filled = time.Since(begin)
	begin = time.Now()
	w.shape = w.graph.Stats() // joins both ends of everything
	w.report.Joined = time.Since(begin)
	w.report.Nodes, w.report.Edges = sum(w.shape.Nodes), sum(w.shape.Edges)
	kept := uint64(0)
	for _, d := range w.steady {
		kept += uint64(len(d.Body))
	}
	w.report.Heap = heap() - before - kept
	if n := sumOf(w.shape.Rejected); n > 0 {
		return fmt.Errorf("the graph did not understand %d documents: %v", n, w.shape.Rejected)
	}
	w.cfg.Log("%d hosts: %d documents made %d nodes and %d edges", w.estate.Hosts, w.report.Documents, w.report.Nodes, w.report.Edges)
	return nil
}

func (w *world) apply(doc model.Document) {
	w.graph.Apply(string(store.NewKey(doc.Time, doc.Name)), doc)
}

// keep remembers some dependencies, of all parts of the estate.
func (w *world) keep(doc model.Document) {
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
