package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cassini/tools/figures"
)

// mapping is what of a process's mappings of one kind is resident, in bytes.
type mapping struct {
	name  string
	bytes int64
}

// kinds of mappings, in the order in which they are told.
const (
	ofProgram = "the program's text and constants"
	ofFiles   = "other files"
	ofRings   = "ring buffers of the kernel"
	ofStack   = "the first thread's stack, data without a file and others"
	ofGo      = "Go's heap, stacks and tables"
)

// mappings sorts what is resident of a process by what it is, of /proc/PID/smaps (proc(5)).
// Go's runtime names its areas where the kernel can ("[anon: Go: heap]"), else they have no name.
func mappings(smaps io.Reader, binary string) ([]mapping, error) {
	sum := make(map[string]int64)
	kind := ofStack
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if !strings.HasSuffix(fields[0], ":") { // an area's own line: addresses, rights, offset, device, inode, name
			kind = kindOf(strings.Join(fields[min(5, len(fields)):], " "), binary)
			continue
		}
		if fields[0] != "Rss:" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read %q of smaps: %w", lines.Text(), err)
		}
		sum[kind] += kib << 10
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read smaps: %w", err)
	}
	var list []mapping
	for _, kind := range []string{ofGo, ofProgram, ofRings, ofFiles, ofStack} {
		list = append(list, mapping{kind, sum[kind]})
	}
	return list, nil
}

func kindOf(name, binary string) string {
	switch {
	case name == binary:
		return ofProgram
	case strings.Contains(name, "bpf"):
		return ofRings
	case name == "" || strings.HasPrefix(name, "[anon: Go"):
		return ofGo
	case strings.HasPrefix(name, "["):
		return ofStack
	default:
		return ofFiles
	}
}

// runtimeParts are the gauges of Go's runtime that say what its memory is for.
func runtimeParts() []struct{ name, metric string } {
	return []struct{ name, metric string }{
		{"objects of the heap, with garbage", "go_memstats_heap_alloc_bytes"},
		{"heap in use", "go_memstats_heap_inuse_bytes"},
		{"heap idle", "go_memstats_heap_idle_bytes"},
		{"of that given back", "go_memstats_heap_released_bytes"},
		{"stacks", "go_memstats_stack_inuse_bytes"},
		{"the collector's tables", "go_memstats_gc_sys_bytes"},
	}
}

// byPart writes what of a process is resident and in kernel maps, a line for each part.
func (r *tracing) byPart(ctx context.Context, out io.Writer, addr string) error {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps", r.cmd.Process.Pid))
	if err != nil {
		return fmt.Errorf("read what is resident of %s: %w", r.name, err)
	}
	defer file.Close()
	list, err := mappings(file, r.cfg.Binary)
	if err != nil {
		return err
	}
	maps, err := r.kernelMaps()
	if err != nil {
		return err
	}
	raw, err := request(ctx, http.MethodGet, addr, "/metrics")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\n| part | bytes |\n|---|---|")
	for _, m := range list {
		fmt.Fprintf(out, "| %s | %s |\n", m.name, figures.Bytes(m.bytes))
	}
	for _, m := range maps {
		fmt.Fprintf(out, "| kernel map %s | %s |\n", m.name, figures.Bytes(m.bytes))
	}
	for _, p := range runtimeParts() {
		fmt.Fprintf(out, "| Go: %s | %s |\n", p.name, figures.Bytes(gauge(raw, p.metric)))
	}
	return nil
}

// gauge is a value of a scrape that has no labels, 0 where it is not there.
func gauge(scrape []byte, name string) int64 {
	for line := range bytes.Lines(scrape) {
		if rest, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			value, err := strconv.ParseFloat(string(bytes.TrimSpace(rest)), 64)
			if err == nil {
				return int64(value)
			}
		}
	}
	return 0
}

// profile writes the heap profile of an agent, after a collection, to a file of its own.
func profile(ctx context.Context, dir, addr string, edges int) error {
	heap, err := request(ctx, http.MethodGet, addr, "/debug/pprof/heap?gc=1")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("heap-%d", edges)), heap, 0o600); err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	return nil
}
