package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"cassini/model"
	"cassini/tools/figures"
)

// exact makes many short connections over many edges, as fast as it goes, and compares what
// Cassini and bcc's tcplife tell with the books.
func exact(ctx context.Context, cfg config, out io.Writer) error {
	fmt.Fprintf(out, "\n%s connections over %s edges\n\n| watched by | connections a second | told: client's end, server's end | edges with the exact count, of both ends | memory; kernel maps |\n|---|---|---|---|---|\n",
		figures.Count(float64(cfg.Edges*cfg.Each)), figures.Count(float64(cfg.Edges)))
	for _, t := range tracers(cfg) {
		if t.name != ours && t.name != "bcc tcplife" {
			continue
		}
		r, err := t.trace(ctx, cfg)
		if err != nil && t.name != ours && ctx.Err() == nil {
			fmt.Fprintf(out, "\nNOT MEASURED: %v\n", err)
			continue
		}
		if err == nil {
			err = r.exact(ctx, cfg, out)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func (r *tracing) exact(ctx context.Context, cfg config, out io.Writer) (err error) {
	s, err := startServer(ctx, cfg)
	if err != nil {
		return errors.Join(err, r.stop())
	}
	defer func() { err = errors.Join(err, s.end()) }()
	n := cfg.Edges * cfg.Each
	d, pid, err := load(ctx, cfg, s, "-n", strconv.Itoa(n), "-edges", strconv.Itoa(cfg.Edges))
	if err != nil {
		return errors.Join(err, r.stop())
	}
	counts, size := "", ""
	if r.name == ours {
		if counts, size, err = r.account(ctx, cfg, s.port); err != nil {
			return errors.Join(err, r.stop())
		}
	} else if err := r.stop(); err != nil {
		return err
	}
	of := truth{s.port, map[int]string{pid: client, s.cmd.Process.Pid: server}, map[string]string{cfg.program(client): client, cfg.program(server): server}}
	got, err := r.tell(ctx, r, of)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| %s | %s | %s, %s | %s | %s |\n", r.name, figures.Count(float64(n)/d.Took.Seconds()),
		figures.Count(float64(all(got.clients))), figures.Count(float64(all(got.servers))), counts, size)
	if r.name == ours {
		return r.stop()
	}
	return nil
}

// account counts the edges that are told exactly, and says what that takes of memory.
func (r *tracing) account(ctx context.Context, cfg config, port int) (counts, size string, err error) {
	list, err := edges(ctx, port)
	if err != nil {
		return "", "", err
	}
	exact := make(map[model.Direction]int)
	for _, d := range list {
		if int(d.Connections) == cfg.Each {
			exact[d.Direction]++
		}
	}
	resident, maps, err := r.memory()
	return fmt.Sprintf("%s, %s", figures.Count(float64(exact[model.Out])), figures.Count(float64(exact[model.In]))),
		fmt.Sprintf("%s; %s", figures.Bytes(resident), figures.Bytes(maps)), err
}

// rates are how much CPU Cassini takes beside so many connections a second.
func rates(ctx context.Context, cfg config, out io.Writer) (err error) {
	fmt.Fprintln(out, "\n| connections a second on a known edge | Cassini's CPU, of one core |\n|---|---|")
	for _, t := range tracers(cfg) {
		if t.name != ours {
			continue
		}
		r, err := t.trace(ctx, cfg)
		if err != nil {
			return err
		}
		for _, rate := range []int{0, 1000, 10_000, -1} {
			if err := r.rate(ctx, cfg, out, rate); err != nil {
				return errors.Join(err, r.stop())
			}
		}
		return r.stop()
	}
	return nil
}

// rate measures beside so many connections a second; -1 is as many as go.
func (r *tracing) rate(ctx context.Context, cfg config, out io.Writer, rate int) error {
	s, err := startServer(ctx, cfg)
	if err != nil {
		return err
	}
	if _, _, err := load(ctx, cfg, s, "-n", "100"); err != nil {
		return errors.Join(err, s.end())
	}
	time.Sleep(time.Second) // what a new edge brings with it is done
	before, err := r.cpu()
	if err != nil {
		return errors.Join(err, s.end())
	}
	begin, made := time.Now(), 0
	for made == 0 || time.Since(begin) < cfg.Span {
		n := []string{"-n", strconv.Itoa(max(rate, 20_000/int(20*time.Second/cfg.Span))), "-rate", strconv.Itoa(max(rate, 0))}
		if rate == 0 {
			time.Sleep(cfg.Span)
			break
		}
		d, _, err := load(ctx, cfg, s, n...)
		if err != nil {
			return errors.Join(err, s.end())
		}
		made += d.Connections
	}
	took := time.Since(begin)
	after, err := r.cpu()
	if err != nil {
		return errors.Join(err, s.end())
	}
	fmt.Fprintf(out, "| %s | %.2f%% |\n", figures.Count(float64(made)/took.Seconds()), 100*(after-before).Seconds()/took.Seconds())
	return s.end()
}
