package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"cassini/model"
	"cassini/tools/bench"
	"cassini/tools/figures"

	"github.com/cilium/ebpf"
)

// agentAddr is where an agent listens whose manager has apiAddr.
const agentAddr = "127.0.0.1:1985"

// memory is what an agent alone has in use, with its manager in another process, when it knows
// so many edges: both ends of half as many pairs, each with a connection that has closed.
func memory(ctx context.Context, cfg config, out io.Writer) error {
	fmt.Fprintln(out, "\n| edges of an agent | resident, of that pages of files, at most | kernel maps | the largest of these |\n|---|---|---|---|")
	for _, n := range cfg.Known {
		if err := memoryAt(ctx, cfg, out, n); err != nil {
			return fmt.Errorf("%d edges: %w", n, err)
		}
	}
	return nil
}

// ofCassini is a part of Cassini as a process.
func ofCassini(cfg config, part, addr string, flags ...string) tracer {
	command := append([]string{cfg.Binary, part, "--config", "empty.yaml", "--data-dir", "data", "--listen", addr}, flags...)
	return tracer{name: part, command: command, ready: readyAt(addr)}
}

func memoryAt(ctx context.Context, cfg config, out io.Writer, n int) (err error) {
	m, err := ofCassini(cfg, "manager", apiAddr).trace(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	room := max(65_536, n*5/4) // below nine tenths nothing is evicted
	a, err := ofCassini(cfg, "agent", agentAddr, "--manager", "http://"+apiAddr, "--edges", strconv.Itoa(room)).trace(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.stop()) }()
	s, err := startServer(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	pairs := strconv.Itoa(n / 2)
	if _, _, err := load(ctx, cfg, s, "-n", pairs, "-edges", pairs); err != nil {
		return err
	}
	if err := settled(ctx); err != nil {
		return fmt.Errorf("%w; the agent said: %s", err, a.said("err"))
	}
	row, err := a.inUse()
	if err == nil {
		fmt.Fprintf(out, "| %s | %s |\n", figures.Count(float64(n)), row)
	}
	if err == nil && cfg.ByPart {
		err = a.byPart(ctx, out, agentAddr)
	}
	if err == nil && cfg.Profile != "" {
		err = profile(ctx, cfg.Profile, agentAddr, n)
	}
	return err
}

// rest is longer than an agent waits before it gives memory back that has told much, and
// that always has a little to tell, as others on this machine do something.
const rest = 70 * time.Second

// settled makes the agent tell of everything, and waits until its manager has it and it has come to rest. While much is
// on its way, the agent may end a question before it has an answer.
func settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for asked := false; ; time.Sleep(100 * time.Millisecond) {
		raw, err := request(ctx, http.MethodGet, agentAddr, "/api/v1/status")
		if err != nil && ctx.Err() == nil {
			continue
		} else if err != nil {
			return err
		}
		var status struct{ Outbox model.OutboxStats }
		if err := json.Unmarshal(raw, &status); err != nil {
			return fmt.Errorf("decode what the agent says of itself: %w", err)
		}
		if status.Outbox.Queued > 0 {
			continue
		}
		if asked {
			time.Sleep(rest)
			return nil
		}
		_, err = request(ctx, http.MethodPost, agentAddr, "/api/v1/refresh")
		asked = err == nil
	}
}

// inUse is what a process has resident and in kernel maps, as the end of a row.
func (r *tracing) inUse() (string, error) {
	use, err := bench.Memory(r.cmd.Process.Pid)
	if err != nil {
		return "", err
	}
	maps, err := r.kernelMaps()
	if err != nil {
		return "", err
	}
	var sum int64
	var largest []string
	for i, m := range maps {
		sum += m.bytes
		if i < 6 {
			largest = append(largest, fmt.Sprintf("%s %s", m.name, figures.Bytes(m.bytes)))
		}
	}
	return fmt.Sprintf("%s, %s, %s | %s | %s", figures.Bytes(use.Resident), figures.Bytes(use.Resident-use.Own),
		figures.Bytes(use.Most), figures.Bytes(sum), strings.Join(largest, ", ")), nil
}

// kernelMap is one that a process has open, with what the kernel charges for it.
type kernelMap struct {
	name  string
	bytes int64
}

// kernelMaps are those of a process, the largest first. A descriptor of a map is told by the
// type that its information names (proc(5), map_show_fdinfo of kernel/bpf/syscall.c): links
// bear a map's id as well.
func (r *tracing) kernelMaps() ([]kernelMap, error) {
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", r.cmd.Process.Pid))
	if err != nil {
		return nil, fmt.Errorf("look for the kernel maps of %s: %w", r.name, err)
	}
	byName, counted := make(map[string]int64), make(map[int64]bool)
	for _, fd := range fds {
		info, err := os.ReadFile(fd)
		if err != nil || !strings.Contains(string(info), "map_type:") {
			continue // not one, or closed meanwhile
		}
		id := field(string(info), "map_id:")
		if id == 0 || counted[id] {
			continue
		}
		counted[id] = true
		byName[mapName(id)] += field(string(info), "memlock:")
	}
	var maps []kernelMap
	for name, bytes := range byName {
		maps = append(maps, kernelMap{name, bytes})
	}
	slices.SortFunc(maps, func(a, b kernelMap) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.name, b.name))
	})
	return maps, nil
}

// mapName is the name of a map, or its id where the kernel does not tell.
func mapName(id int64) string {
	m, err := ebpf.NewMapFromID(ebpf.MapID(id))
	if err == nil {
		defer m.Close()
		if info, err := m.Info(); err == nil && info.Name != "" {
			return info.Name
		}
	}
	return strconv.FormatInt(id, 10)
}

// memory is what a process has resident and in kernel maps.
func (r *tracing) memory() (resident, maps int64, err error) {
	use, err := bench.Memory(r.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	list, err := r.kernelMaps()
	for _, m := range list {
		maps += m.bytes
	}
	return use.Resident, maps, err
}
