package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"cassini/agent/outbox"
	"cassini/model"
	"cassini/tools/bench"
	"cassini/tools/figures"
	"cassini/tools/graphbench/estate"
)

// size is what was measured of an estate of one size.
type size struct {
	Hosts, Documents   int
	Took               time.Duration // until all were durable and in the graph
	CPU, Ours          time.Duration // of the manager; of who sent the documents
	Memory             bench.Use     // then
	Disk               int64         // bytes, then
	First              time.Duration // for the first question after it
	Restart            time.Duration // from the start of a process until it answers
	Again              bench.Use     // after that
	Fresh              []time.Duration
	Meanwhile          float64 // documents a second that came beside
	MeanwhileDocuments int
}

// estates brings a manager the documents of an estate of each size.
func estates(ctx context.Context, cfg config, out io.Writer) error {
	fmt.Fprintln(out, "\n| hosts | documents | durable and in the graph after | a second | manager's CPU a document | memory, a host | disk, a host | first question | restart until ready; memory |\n|---|---|---|---|---|---|---|---|---|")
	var all []size
	for _, hosts := range cfg.Hosts {
		s, err := one(ctx, cfg, hosts)
		if err != nil {
			return fmt.Errorf("of %d hosts: %w", hosts, err)
		}
		all = append(all, s)
		n := float64(s.Documents)
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s, %s | %s, %s | %s | %s; %s |\n",
			figures.Count(float64(s.Hosts)), figures.Count(n), figures.Short(s.Took), figures.Count(n/s.Took.Seconds()), figures.Short(s.CPU/time.Duration(s.Documents)),
			figures.Bytes(s.Memory.Resident), figures.Bytes(s.Memory.Resident/int64(s.Hosts)), figures.Bytes(s.Disk), figures.Bytes(s.Disk/int64(s.Hosts)),
			figures.Short(s.First), figures.Short(s.Restart), figures.Bytes(s.Again.Resident))
		cfg.Log("%d hosts: documents in %s, of which this program had %s of CPU and the manager %s", hosts, figures.Short(s.Took), figures.Short(s.Ours), figures.Short(s.CPU))
	}
	fmt.Fprintln(out, "\n| hosts | a new dependency, from the agent until a question shows it: median, p99 | documents a second that came meanwhile |\n|---|---|---|")
	for _, s := range all {
		fmt.Fprintf(out, "| %s | %s, %s (%d samples) | %s |\n", figures.Count(float64(s.Hosts)),
			figures.Short(figures.Quantile(s.Fresh, 0.5)), figures.Short(figures.Quantile(s.Fresh, 0.99)), len(s.Fresh), figures.Count(s.Meanwhile))
	}
	return nil
}

func one(ctx context.Context, cfg config, hosts int) (s size, err error) {
	dir, err := os.MkdirTemp(cfg.Dir, "estate")
	if err != nil {
		return s, fmt.Errorf("make a place for data: %w", err)
	}
	s.Hosts = hosts
	p, err := start(ctx, cfg, dir, "http", "--retention-size", "1TiB")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := s.register(ctx, cfg, p); err != nil {
		return s, err
	}
	begin := time.Now()
	if err := get(ctx, p.url+"/api/v1/edges?limit=1"); err != nil {
		return s, err
	}
	s.First = time.Since(begin)
	if s.CPU, err = bench.CPU(p.pid()); err != nil {
		return s, err
	}
	if s.Memory, err = bench.Memory(p.pid()); err != nil {
		return s, err
	}
	if s.Disk, err = disk(dir); err != nil {
		return s, err
	}
	if err := s.look(ctx, cfg, p); err != nil {
		return s, err
	}
	if err := p.stop(); err != nil {
		return s, err
	}
	begin = time.Now()
	again, err := start(ctx, cfg, dir, "http", "--retention-size", "1TiB")
	if err != nil {
		return s, err
	}
	s.Restart = time.Since(begin)
	p = again // which is ended in the end
	s.Again, err = bench.Memory(p.pid())
	return s, err
}

// window is how many documents are made before they are sent host by host: an agent sends
// what it has found together.
const window = 100_000

// register sends all documents of an estate, each host's together.
func (s *size) register(ctx context.Context, cfg config, p *process) error {
	before, begin := ownCPU(), time.Now()
	batches := make(chan []model.Document)
	sender := newSender(ctx, cfg.Clients, outbox.NewHTTPSink(p.url, ""), batches)
	byHost := make(map[string][]model.Document)
	var hosts []string // in the order in which they came
	held := 0
	flush := func() bool {
		for _, host := range hosts {
			select {
			case batches <- byHost[host]:
			case <-sender.failed:
				return false
			}
			delete(byHost, host)
		}
		hosts, held = hosts[:0], 0
		return true
	}
	var made error
	for doc, err := range (estate.Estate{Hosts: s.Hosts, Seed: cfg.Seed}).Documents() {
		if made = err; err != nil {
			break
		}
		if byHost[doc.Host] == nil {
			hosts = append(hosts, doc.Host)
		}
		byHost[doc.Host] = append(byHost[doc.Host], doc)
		s.Documents++
		if held++; held == window && !flush() {
			break
		}
	}
	flush()
	close(batches)
	err := sender.wait()
	s.Took, s.Ours = time.Since(begin), ownCPU()-before
	return errors.Join(made, err)
}

// sender brings batches to the manager, several at a time.
type sender struct {
	work   sync.WaitGroup
	once   sync.Once
	failed chan struct{}
	err    error // behind failed
}

func newSender(ctx context.Context, clients int, sink model.Sink, batches <-chan []model.Document) *sender {
	s := &sender{failed: make(chan struct{})}
	for range clients {
		s.work.Go(func() {
			for docs := range batches {
				if err := patient(ctx, sink, docs); err != nil {
					s.once.Do(func() { s.err = err; close(s.failed) })
					return
				}
			}
		})
	}
	return s
}

func (s *sender) wait() error {
	s.work.Wait()
	return s.err
}

// patient sends until the manager takes it, as often as it says that it is busy.
func patient(ctx context.Context, sink model.Sink, docs []model.Document) error {
	for {
		_, err := sink.Deliver(ctx, model.Batch{Host: docs[0].Host, Documents: docs})
		var busy *model.BusyError
		if !errors.As(err, &busy) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(busy.After):
		}
	}
}

// ownCPU is the time that this process has spent on CPUs.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// get asks for something and reads the answer to its end.
func get(ctx context.Context, url string) error {
	_, err := read(ctx, url)
	return err
}

func read(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the manager: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the manager: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the manager's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the manager answers %s: %s", resp.Status, raw)
	}
	return raw, nil
}
