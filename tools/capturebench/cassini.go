package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cassini/model"
	"cassini/tools/bench"
)

// apiAddr is free: nobody else is in this namespace.
const apiAddr = "127.0.0.1:1984"

// cassiniReady waits for the probe that says so.
func cassiniReady(ctx context.Context, r *tracing) error { return readyAt(apiAddr)(ctx, r) }

func readyAt(addr string) func(context.Context, *tracing) error {
	return func(ctx context.Context, r *tracing) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		for {
			if _, err := request(ctx, http.MethodGet, addr, "/-/ready"); err == nil {
				return nil
			} else if ctx.Err() != nil {
				return fmt.Errorf("does not get ready: %w", err)
			}
			if bench.Ended(r.cmd.Process.Pid) {
				return fmt.Errorf("it has ended")
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func ask(ctx context.Context, path string) ([]byte, error) {
	return request(ctx, http.MethodGet, apiAddr, path)
}

func request(ctx context.Context, method, addr, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask Cassini: %w", err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Cassini: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, raw)
	}
	if err != nil {
		return nil, fmt.Errorf("ask Cassini: %w", err)
	}
	return raw, nil
}

// edges are what Cassini tells of connections to a port.
func edges(ctx context.Context, port int) (list []model.Dependency, err error) {
	list, err = dependencies(ctx)
	return slices.DeleteFunc(list, func(d model.Dependency) bool { return int(d.Port) != port }), err
}

// dependencies are what Cassini's agent tells of connections, both ends, with counters as
// they are now.
func dependencies(ctx context.Context) (list []model.Dependency, err error) {
	if _, err := ask(ctx, "/api/v1/edges?limit=1"); err != nil { // makes the agent count
		return nil, err
	}
	raw, err := ask(ctx, "/api/v1/documents?package="+model.PackageDependencies)
	if err != nil {
		return nil, err
	}
	var docs []model.Document
	if err := json.Unmarshal(raw, &docs); err != nil {
		return nil, fmt.Errorf("decode what Cassini says: %w", err)
	}
	for _, doc := range docs {
		var d model.Dependency
		if err := doc.Decode(&d); err != nil {
			return nil, fmt.Errorf("decode %s: %w", doc.Name, err)
		}
		list = append(list, d)
	}
	return list, nil
}

// cassiniTells sums up edges. An edge is of a program and not of a process.
func cassiniTells(ctx context.Context, _ *tracing, of truth) (told, error) {
	t := nothing()
	list, err := edges(ctx, of.port)
	for _, d := range list {
		switch d.Direction {
		case model.Out:
			t.clients[of.programs[d.Exe]] += int(d.Connections)
		case model.In:
			t.servers[of.programs[d.Exe]] += int(d.Connections)
		}
	}
	return t, err
}

// field is a number behind its name in a file of proc(5).
func field(text, name string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}
