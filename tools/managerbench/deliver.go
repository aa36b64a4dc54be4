package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"cassini/agent/outbox"
	"cassini/model"
	"cassini/tools/bench"
	"cassini/tools/figures"
	"cassini/tools/graphbench/estate"
)

// together are how many documents an agent brings at once: what one host knows at its start, and
// the most that an outbox sends of what has waited.
var together = []int{20, 200, 1000}

// delivered is what agents brought with deliveries of one size.
type delivered struct {
	Documents  int64
	Took       time.Duration
	CPU, Ours  time.Duration // of the manager; of who sent, TLS and zstd included
	Raw, Wire  uint64        // bytes
	Deliveries []time.Duration
}

// delivers lets agents bring numbered documents over HTTP/2, mutual TLS and zstd, each as many at once as
// it may, for a while: dependencies that are all known after the first round, with counters that move.
func delivers(ctx context.Context, cfg config, out io.Writer) (err error) {
	p, err := openDoor(ctx, cfg, "deliver", "--retention-size", "1TiB")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	agents := make([]*agent, min(cfg.Clients, cfg.Joins))
	for i := range agents {
		if agents[i], err = newAgent(ctx, p, i); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\n| agents; documents a delivery | documents, durable and in the graph, a second | manager's CPU a document; a core's worth a second | senders' CPU a document | a document: bytes of JSON; on the wire | a delivery: median, p99 |\n|---|---|---|---|---|---|")
	for _, size := range together {
		d, err := deliver(ctx, cfg, p.process, agents, size)
		if err != nil {
			return err
		}
		n := time.Duration(max(d.Documents, 1))
		fmt.Fprintf(out, "| %d; %s | %s | %s; %s | %s | %.0f; %.0f | %s, %s |\n", len(agents), figures.Count(float64(size)), figures.Count(float64(d.Documents)/d.Took.Seconds()),
			figures.Short(d.CPU/n), figures.Count(float64(time.Second/max(d.CPU/n, 1))), figures.Short(d.Ours/n), float64(d.Raw)/float64(n), float64(d.Wire)/float64(n),
			figures.Short(figures.Quantile(d.Deliveries, 0.5)), figures.Short(figures.Quantile(d.Deliveries, 0.99)))
	}
	return nil
}

// agent is one that has joined, and what it has to say.
type agent struct {
	sink *outbox.HTTPSink
	host string
	last uint64 // sequence
	docs []model.Document
}

func newAgent(ctx context.Context, d doorway, i int) (a *agent, err error) {
	a = &agent{host: fmt.Sprintf("sender-%d", i)}
	if a.sink, err = d.enter(ctx, a.host); err != nil {
		return nil, err
	}
	for port := range together[len(together)-1] {
		doc, err := called(a.host, i, port)
		if err != nil {
			return nil, err
		}
		a.docs = append(a.docs, doc)
	}
	return a, nil
}

// called is a dependency of a sender, on a service of one of fifty servers.
func called(host string, i, port int) (model.Document, error) {
	d := model.Dependency{
		Direction: model.Out, Proto: "tcp", Client: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), Server: netip.AddrFrom4([4]byte{10, 2, 0, byte(port % 50)}), Port: uint16(8000 + port),
		Process:  model.Process{PID: 4, Exe: "/usr/bin/curl", Cmdline: []string{"/usr/bin/curl", "--config", "/etc/curl.conf"}, UID: "root", GID: "root", Cwd: "/"},
		Counters: model.Counters{Connections: uint64(port), Attempts: uint64(port), BytesSent: 1 << 20, BytesReceived: 1 << 24}, FirstSeen: estate.Begin, LastSeen: estate.Begin, CountingSince: estate.Begin,
	}
	doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageDependencies, Key: d.Key()}, estate.Begin, d)
	if err != nil {
		return doc, fmt.Errorf("make a document: %w", err)
	}
	return doc, nil
}

// deliver lets all agents bring documents until the time is up.
func deliver(ctx context.Context, cfg config, p *process, agents []*agent, size int) (d delivered, err error) {
	before, begin := ownCPU(), time.Now()
	if d.CPU, err = bench.CPU(p.pid()); err != nil {
		return d, err
	}
	var work sync.WaitGroup
	took, errs := make([][]time.Duration, len(agents)), make([]error, len(agents))
	ctx, end := context.WithCancel(ctx)
	defer end()
	for i, a := range agents {
		sent := a.sink.Stats()
		d.Raw, d.Wire = d.Raw-sent.Bytes, d.Wire-sent.WireBytes
		work.Go(func() {
			for at := 0; time.Since(begin) < cfg.Deliver; at += size {
				begin := time.Now()
				if err := a.bring(ctx, at, size); err != nil {
					errs[i] = fmt.Errorf("deliver documents of %s: %w", a.host, err)
					end()
					return
				}
				took[i] = append(took[i], time.Since(begin))
			}
		})
	}
	work.Wait()
	d.Took = time.Since(begin)
	for i, a := range agents {
		sent := a.sink.Stats()
		d.Raw, d.Wire, d.Deliveries = d.Raw+sent.Bytes, d.Wire+sent.WireBytes, append(d.Deliveries, took[i]...)
	}
	d.Documents = int64(size * len(d.Deliveries))
	after, failed := bench.CPU(p.pid())
	d.CPU, d.Ours = after-d.CPU, ownCPU()-before
	return d, errors.Join(append(errs, failed)...)
}

// bring delivers so many documents, as they are now.
func (a *agent) bring(ctx context.Context, at, size int) error {
	at %= len(a.docs)
	docs := a.docs[at : at+size]
	now := time.Now()
	for i := range docs {
		docs[i].Time = now
	}
	b := model.Batch{Host: a.host, First: model.Position{Incarnation: 1, Sequence: a.last + 1}, Documents: docs}
	for {
		receipt, err := a.sink.Deliver(ctx, b)
		var busy *model.BusyError
		switch {
		case errors.As(err, &busy):
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(busy.After):
			}
		case err != nil:
			return err
		case receipt.Known > 0 || receipt.Gap || receipt.Last != b.Last():
			text, _ := json.Marshal(receipt)
			return fmt.Errorf("the receipt of documents up to %d says %s", a.last+uint64(size), text)
		default:
			a.last += uint64(size)
			return nil
		}
	}
}
