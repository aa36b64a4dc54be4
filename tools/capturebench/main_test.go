package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cassini/kernel-tests/undertest"
)

// binary is the path of the binary under test.
var binary string

// asProgram is the environment variable that lets this be the program and not its test.
const asProgram = "CAPTUREBENCH_AS_PROGRAM"

// TestMain is this program itself where the benchmark starts it as a part of it.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(undertest.Main(m, &binary))
}

// TestQuick runs the benchmark whole, small, as a process, as it does with itself.
func TestQuick(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TRIED: network namespaces and tracing need root. Run this test as root.")
	}
	cmd := exec.Command("/proc/self/exe", "-quick", "-settle", "1s", "-cassini", binary)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), problems.String())
	}
	for _, want := range []string{
		"| nobody | 1.000, 1.000 to 1.000 |", "| Cassini | ", "| 100.0%, 100.0% | 100.0%, 100.0% |",
		"300 connections over 100 edges", "| 300, 300 | 100, 100 |", "| 100 | ", "; 100 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"-parts", "x"}, {"-open", "x"}, {"-rounds", "0"}, {"-edges", "1000000"}, {"-nothing"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

// TestTold reads lines as the tools wrote them, of a server with PID 20 on port 4000 and a
// client with PID 10, each with one line that is right, one that names another process, and
// one of another port.
func TestTold(t *testing.T) {
	for name, tt := range map[string]struct {
		lines            string
		tell             func(*tracing, truth) (told, error)
		clients, servers map[string]int
	}{
		"tcplife": {`PID     COMM             LADDR           LPORT RADDR           RPORT TX_KB  RX_KB  MS
10      client           127.1.0.1       55742 127.2.0.1       4000  0.00   0.00   0.32
10      a b c            127.2.0.1       4000  127.1.0.1       55742 0.00   0.00   0.34
20      server           127.2.0.1       4000  127.1.0.1       55743 0.00   0.00   0.34
99      other            127.2.0.1       80    127.1.0.1       4001  0.00   0.00   0.34
`, func(r *tracing, of truth) (told, error) { return tcplifeTells(t.Context(), r, of) },
			map[string]int{client: 1}, map[string]int{client: 1, server: 1}},
		"tcpstates": {`SKADDR           PID     COMM       LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE    MS
ffff888164511bc0 10      client     127.1.0.1       41348 127.2.0.1       4000  ESTABLISHED -> CLOSE       0.000
ffff888164513780 0       swapper/0  127.2.0.1       4000  127.1.0.1       41348 CLOSE_WAIT  -> CLOSE       0.036
ffff888164513780 10      client     127.1.0.1       41348 127.2.0.1       4000  SYN_SENT    -> CLOSE       0.036
ffff888164511bc0 20      server     127.2.0.1       4000  127.1.0.1       41348 LISTEN      -> SYN_RECV    0.000
`, func(r *tracing, of truth) (told, error) { return tcpstatesTells(t.Context(), r, of) },
			map[string]int{client: 1}, map[string]int{"": 1}},
		"script": {"Attaching 1 probe...\n10 41348 4000\n20 4000 41348\n7 4000 41349\n", func(r *tracing, of truth) (told, error) { return scriptTells(t.Context(), r, of) },
			map[string]int{client: 1}, map[string]int{server: 1, "": 1}},
		"ss": {`ESTAB 0      0          127.1.0.1:41348     127.2.0.1:4000  users:(("client",pid=10,fd=7))
ESTAB 0      0          127.2.0.1:4000      127.1.0.1:41348 users:(("server",pid=20,fd=9))
ESTAB 0      0          127.2.0.1:4000      127.1.0.1:41348 users:(("server",pid=20,fd=9))
TIME-WAIT 0  0          127.2.0.1:4000      127.1.0.1:41349
`, func(r *tracing, of truth) (told, error) { return ssTells(t.Context(), r, of) },
			map[string]int{client: 1}, map[string]int{server: 1}},
		"conntrack": {`    [NEW] tcp      6 120 SYN_SENT src=127.1.0.1 dst=127.2.0.1 sport=41348 dport=4000 [UNREPLIED] src=127.2.0.1 dst=127.1.0.1 sport=4000 dport=41348
 [UPDATE] tcp      6 60 SYN_RECV src=127.1.0.1 dst=127.2.0.1 sport=41348 dport=4000 src=127.2.0.1 dst=127.1.0.1 sport=4000 dport=41348

    [NEW] tcp      6 120 SYN_SENT src=127.1.0.1 dst=127.2.0.1 sport=41348 dport=80 [UNREPLIED] src=127.2.0.1 dst=127.1.0.1 sport=80 dport=41348
`, func(r *tracing, of truth) (told, error) { return conntrackTells(t.Context(), r, of) },
			map[string]int{"": 1}, map[string]int{"": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &tracing{dir: t.TempDir()}
			if err := os.WriteFile(filepath.Join(r.dir, "out"), []byte(tt.lines), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := tt.tell(r, truth{port: 4000, pids: map[int]string{10: client, 20: server}})
			if err != nil || !maps.Equal(got.clients, tt.clients) || !maps.Equal(got.servers, tt.servers) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// What is resident is told by what it is.
func TestMappings(t *testing.T) {
	const smaps = `00400000-02a1b000 r-xp 00000000 fd:00 1234    /opt/bin/cassini
Rss:               20000 kB
VmFlags: rd ex mr mw me sd
02a1b000-04000000 rw-p 0261b000 fd:00 1234    /opt/bin/cassini
Rss:                1000 kB
c000000000-c000800000 rw-p 00000000 00:00 0
Rss:                 512 kB
7f0000000000-7f0000001000 rw-s 00000000 00:0f 5  anon_inode:bpf-map
Rss:                   4 kB
7f0000001000-7f0000002000 r--s 00000000 fd:00 77  /var/lib/cassini/outbox.db
Rss:                  16 kB
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0  [stack]
Rss:                   8 kB
`
	want := []mapping{{ofGo, 512 << 10}, {ofProgram, 21000 << 10}, {ofRings, 4 << 10}, {ofFiles, 16 << 10}, {ofStack, 8 << 10}}
	got, err := mappings(strings.NewReader(smaps), "/opt/bin/cassini")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := mappings(strings.NewReader("Rss: many kB\n"), ""); err == nil {
		t.Error("a size that is none was taken")
	}
}

func TestGauge(t *testing.T) {
	scrape := []byte("# HELP go_memstats_heap_idle_bytes Idle.\ngo_memstats_heap_idle_bytes 1.5e+06\ngo_memstats_heap_idle_bytes_total 3\n")
	if got := gauge(scrape, "go_memstats_heap_idle_bytes"); got != 1_500_000 {
		t.Errorf("%d", got)
	}
	if got := gauge(scrape, "go_memstats_heap_inuse_bytes"); got != 0 {
		t.Errorf("%d of what is not there", got)
	}
}
