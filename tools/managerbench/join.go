package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/model"
	"cassini/tools/bench"
	"cassini/tools/figures"
	"cassini/tools/graphbench/estate"
)

// doorway is a manager whom hosts join, over TLS and by one token.
type doorway struct {
	*process
	token string
	dir   string // of its data and theirs
}

// openDoor starts a manager on a directory of its own.
func openDoor(ctx context.Context, cfg config, name string, flags ...string) (d doorway, err error) {
	if d.dir, err = os.MkdirTemp(cfg.Dir, name); err != nil {
		return d, fmt.Errorf("make a place for data: %w", err)
	}
	if d.process, err = start(ctx, cfg, d.dir, "https", append([]string{"--tls-name", "localhost"}, flags...)...); err != nil {
		return d, err
	}
	if d.token, err = makeToken(ctx, cfg, d.process, d.dir); err != nil {
		err = errors.Join(err, d.stop())
	}
	return d, err
}

// enter makes a host that has joined, and returns what it sends documents by.
func (d doorway) enter(ctx context.Context, host string) (*outbox.HTTPSink, error) {
	dir := filepath.Join(d.dir, "of-"+host)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a place for %s: %w", host, err)
	}
	if _, err := enroll.Join(ctx, enroll.Request{Manager: d.url, Token: d.token, Host: host, Dir: dir}); err != nil {
		return nil, fmt.Errorf("join as %s: %w", host, err)
	}
	member, err := enroll.Open(dir, host, d.url, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("open the identity of %s: %w", host, err)
	}
	return outbox.NewTLSSink(d.url, "", member.TLS()), nil
}

// joins lets hosts join over TLS: each makes a key, gets a certificate by a token, and
// brings its first documents over a connection that shows it.
func joins(ctx context.Context, cfg config, out io.Writer) (err error) {
	p, err := openDoor(ctx, cfg, "join")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	hosts, err := firstDocuments(cfg)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	var once sync.Once
	var failed error
	next := make(chan []model.Document)
	begin := time.Now()
	took := make([][]time.Duration, cfg.Clients)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range cfg.Clients {
		work.Go(func() {
			for docs := range next {
				begin := time.Now()
				if err := p.join(ctx, docs); err != nil {
					once.Do(func() { failed = err; cancel() })
					return
				}
				took[i] = append(took[i], time.Since(begin))
			}
		})
	}
	for _, docs := range hosts {
		select {
		case next <- docs:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	work.Wait()
	if failed != nil {
		return failed
	}
	all := time.Since(begin)
	cpu, err := bench.CPU(p.pid())
	if err != nil {
		return err
	}
	var each []time.Duration
	for _, of := range took {
		each = append(each, of...)
	}
	fmt.Fprintln(out, "\n| hosts that joined over TLS | a minute | each: median, p99 | manager's CPU a host |\n|---|---|---|---|")
	fmt.Fprintf(out, "| %s, %d at a time | %s | %s, %s | %s |\n", figures.Count(float64(len(each))), cfg.Clients, figures.Count(float64(len(each))/all.Minutes()),
		figures.Short(figures.Quantile(each, 0.5)), figures.Short(figures.Quantile(each, 0.99)), figures.Short(cpu/time.Duration(len(each))))
	return nil
}

// join makes a host, and lets it send its first documents.
func (d doorway) join(ctx context.Context, docs []model.Document) error {
	host := docs[0].Host
	sink, err := d.enter(ctx, host)
	if err != nil {
		return err
	}
	if err := patient(ctx, sink, docs); err != nil {
		return fmt.Errorf("send documents of %s: %w", host, err)
	}
	return nil
}

// makeToken makes the token by which all join, as an administrator does who has the
// manager's own.
func makeToken(ctx context.Context, cfg config, p *process, dir string) (string, error) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "admin.token")); err == nil {
			break
		}
		if err := p.pause(ctx); err != nil {
			return "", err
		}
	}
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, cfg.Binary, "token", "create", "--config", settings(dir), "--api", p.url,
		"--token-file", filepath.Join(dir, "admin.token"), "--limit", strconv.Itoa(cfg.Joins), "-o", "json")
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("make a token: %w: %s", err, problems.String())
	}
	var made struct{ Text string }
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	return made.Text, nil
}

// firstDocuments are those of as many hosts as join.
func firstDocuments(cfg config) ([][]model.Document, error) {
	var hosts [][]model.Document
	for doc, err := range (estate.Estate{Hosts: max(cfg.Joins, minHosts), Seed: cfg.Seed}).Documents() {
		switch {
		case err != nil:
			return nil, err
		case len(hosts) > 0 && hosts[len(hosts)-1][0].Host == doc.Host:
			hosts[len(hosts)-1] = append(hosts[len(hosts)-1], doc)
			continue
		case len(hosts) == cfg.Joins:
			return hosts, nil
		}
		hosts = append(hosts, []model.Document{doc})
	}
	return hosts, nil
}
