package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"cassini/tools/figures"
)

// turn is what was measured of a tracer in one turn.
type turn struct {
	each time.Duration // a connection
	cpu  time.Duration // the tracer's own, a connection
	told told
	made int // connections, those that made the edge known among them
}

// turns lets each tracer watch as many connections, in rounds, in a new order each.
func turns(ctx context.Context, cfg config, out io.Writer) error {
	all := tracers(cfg)
	done := make(map[string][]turn)
	var missing []string
	for round := range cfg.Rounds {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, t := range slices.Clone(all) {
			one, err := t.turn(ctx, cfg)
			if err != nil {
				if ctx.Err() != nil || t.name == ours || t.name == nobody || round > 0 {
					return fmt.Errorf("round %d: %w", round, err)
				}
				missing = append(missing, fmt.Sprintf("%s: %v", t.name, err))
				all = slices.DeleteFunc(all, func(o tracer) bool { return o.name == t.name })
				continue
			}
			done[t.name] = append(done[t.name], one)
			cfg.Log("round %d: %s: %s a connection", round, t.name, one.each)
		}
	}
	fmt.Fprintf(out, "\n%d rounds of %s connections over loopback, one after the other on a known edge\n\n", cfg.Rounds, figures.Count(float64(cfg.Connections)))
	fmt.Fprintln(out, "| watched by | time of a connection against nobody: median, quartiles | its own CPU a connection | connections told: client's end, server's end | to the right client, server |\n|---|---|---|---|---|")
	for _, t := range tracers(cfg) {
		if of := done[t.name]; of != nil {
			fmt.Fprintln(out, row(t, of, done[nobody]))
		}
	}
	for _, m := range missing {
		fmt.Fprintf(out, "\nNOT MEASURED: %s\n", m)
	}
	return nil
}

func row(t tracer, of, without []turn) string {
	var ratios []float64
	var cpu time.Duration
	var made, clients, servers, rightClients, rightServers int
	for i, one := range of {
		ratios = append(ratios, float64(one.each)/float64(without[i].each))
		cpu += one.cpu
		made += one.made
		clients += all(one.told.clients)
		servers += all(one.told.servers)
		rightClients += one.told.clients[client]
		rightServers += one.told.servers[server]
	}
	slices.Sort(ratios)
	at := func(q float64) float64 { return ratios[int(q*float64(len(ratios)-1)+0.5)] }
	text := fmt.Sprintf("| %s | %.3f, %.3f to %.3f |", t.name, at(0.5), at(0.25), at(0.75))
	if t.tell == nil {
		return text + " | | |"
	}
	share := func(n, all int) string {
		if all == 0 {
			return "-"
		}
		return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(all))
	}
	return text + fmt.Sprintf(" %s | %s, %s | %s, %s |", figures.Short(cpu/time.Duration(len(of))),
		share(clients, made), share(servers, made), share(rightClients, clients), share(rightServers, servers))
}

// turn starts the tracer, a server and clients, of which the first makes the edge known.
func (t tracer) turn(ctx context.Context, cfg config) (one turn, err error) {
	r, err := t.trace(ctx, cfg)
	if err != nil {
		return one, err
	}
	stopped := false
	stop := func() error {
		if stopped {
			return nil
		}
		stopped = true
		return r.stop()
	}
	defer func() { err = errors.Join(err, stop()) }()
	s, err := startServer(ctx, cfg)
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	warming := cfg.Connections / 10
	_, warmer, err := load(ctx, cfg, s, "-n", strconv.Itoa(warming))
	if err != nil {
		return one, err
	}
	before, err := r.cpu()
	if err != nil {
		return one, err
	}
	d, pid, err := load(ctx, cfg, s, "-n", strconv.Itoa(cfg.Connections))
	if err != nil {
		return one, err
	}
	after, err := r.cpu()
	if err != nil {
		return one, err
	}
	one.each, one.cpu, one.made = d.Took/time.Duration(d.Connections), (after-before)/time.Duration(d.Connections), d.Connections+warming
	of := truth{s.port, map[int]string{warmer: client, pid: client, s.cmd.Process.Pid: server}, map[string]string{cfg.program(client): client, cfg.program(server): server}}
	if t.tell != nil && t.early {
		if one.told, err = t.tell(ctx, r, of); err != nil {
			return one, err
		}
	}
	accepted, err := s.books()
	if err != nil {
		return one, err
	}
	if int(accepted) != one.made {
		return one, fmt.Errorf("the server accepted %d connections of %d", accepted, one.made)
	}
	if err := stop(); err != nil {
		return one, err
	}
	if t.tell != nil && !t.early {
		one.told, err = t.tell(ctx, r, of)
	}
	return one, err
}
