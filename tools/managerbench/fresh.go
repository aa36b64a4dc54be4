package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"cassini/agent/outbox"
	"cassini/model"
	"cassini/tools/graphbench/estate"
)

// Beside those who look, each of some hosts sends counters that moved, so many at once, and
// waits a moment.
const (
	besides      = 4
	besideBatch  = 100
	besidePause  = 20 * time.Millisecond
	besideMemory = 20_000 // documents that are sent again and again
)

// look tells how long it takes from a new dependency's document until a question about its
// client shows it, while other hosts send what moved.
func (s *size) look(ctx context.Context, cfg config, p *process) (err error) {
	sink := outbox.NewHTTPSink(p.url, "")
	moved, err := s.moved(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	var sent atomic.Int64
	var failed atomic.Pointer[error]
	for i := range besides {
		beside.Go(func() {
			if err := s.bother(ctx, sink, moved, uint64(i), &sent); err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	r := rand.New(rand.NewPCG(cfg.Seed, 7))
	begin := time.Now()
	for i := range cfg.Asks {
		took, asked := s.fresh(ctx, p, sink, r, i)
		if err = asked; err != nil {
			break
		}
		s.Fresh = append(s.Fresh, took)
	}
	s.Meanwhile = float64(sent.Load()) / time.Since(begin).Seconds()
	cancel()
	beside.Wait()
	if e := failed.Load(); e != nil {
		err = errors.Join(err, *e)
	}
	return err
}

// moved are documents of dependencies, by host, whose counters have moved.
func (s *size) moved(cfg config) (batches [][]model.Document, err error) {
	byHost := make(map[string][]model.Document)
	held := 0
	for doc, err := range (estate.Estate{Hosts: s.Hosts, Seed: cfg.Seed}).Documents() {
		if err != nil {
			return nil, err
		}
		if doc.Package != model.PackageDependencies {
			continue
		}
		doc.Progress = true
		byHost[doc.Host] = append(byHost[doc.Host], doc)
		if held++; held == besideMemory {
			break
		}
	}
	for _, docs := range byHost {
		batches = append(batches, docs[:min(len(docs), besideBatch)])
	}
	return batches, nil
}

// bother sends documents until the context ends.
func (s *size) bother(ctx context.Context, sink model.Sink, batches [][]model.Document, seed uint64, sent *atomic.Int64) error {
	r := rand.New(rand.NewPCG(seed, 8))
	for {
		docs := batches[r.IntN(len(batches))]
		if err := patient(ctx, sink, docs); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("send what moved: %w", err)
		}
		sent.Add(int64(len(docs)))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(besidePause):
		}
	}
}

// fresh sends a dependency that was not there, and asks until it is shown.
func (s *size) fresh(ctx context.Context, p *process, sink model.Sink, r *rand.Rand, i int) (time.Duration, error) {
	all := estate.Estate{Hosts: s.Hosts, Seed: 0}
	host := all.Host(all.Pick(r, estate.Web))
	d := model.Dependency{
		Direction: model.Out, Proto: "tcp", Client: netip.AddrFrom4([4]byte{10, 0, 0, 1}), Server: netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i%250)}), Port: uint16(1 + i/250),
		Process:  model.Process{PID: 4, Exe: "/usr/bin/curl", Cmdline: []string{"curl"}, UID: "root", GID: "root"},
		Counters: model.Counters{Connections: 1, Attempts: 1}, FirstSeen: time.Now(), LastSeen: time.Now(), CountingSince: estate.Begin,
	}
	doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageDependencies, Key: d.Key()}, time.Now(), d)
	if err != nil {
		return 0, fmt.Errorf("make a document: %w", err)
	}
	id := model.ProcessID(host, d.Process)
	to := model.AbsentServiceID("", netip.AddrPortFrom(d.Server, d.Port), d.Proto)
	begin := time.Now()
	if err := patient(ctx, sink, []model.Document{doc}); err != nil {
		return 0, fmt.Errorf("send a new dependency: %w", err)
	}
	for {
		raw, err := read(ctx, p.url+"/api/v1/edges?from="+url.QueryEscape(id))
		if err != nil {
			return 0, err
		}
		shown, err := shows(raw, to)
		if err != nil || shown {
			return time.Since(begin), err
		}
	}
}

// shows says whether an answer has an edge to a node.
func shows(answer []byte, to string) (bool, error) {
	var edges []struct{ To string }
	if err := json.Unmarshal(answer, &edges); err != nil {
		return false, fmt.Errorf("decode the manager's answer: %w", err)
	}
	for _, e := range edges {
		if e.To == to {
			return true, nil
		}
	}
	return false, nil
}
