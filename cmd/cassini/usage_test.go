package main

import (
	"strings"
	"testing"
)

// TestExitCodes runs the binary as scripts do.
func TestExitCodes(t *testing.T) {
	closed := closedPort(t)
	for line, want := range map[string]struct {
		code   int
		stderr string // the last line has this
	}{
		"":                       {2, "cassini: no command given; see 'cassini --help'"},
		"servics":                {2, `cassini: unknown command "servics"; did you mean services or service?; see 'cassini --help'`},
		"xyzzy":                  {2, `cassini: unknown command "xyzzy"; see`},
		"--nonsense":             {2, "cassini: unknown flag: --nonsense; see"},
		"services --nonsense":    {2, "cassini services: unknown flag: --nonsense; see 'cassini services --help'"},
		"services extra":         {2, `cassini services: unexpected argument "extra"; see`},
		"services -o dot":        {2, `invalid argument "dot" for "-o, --output" flag: want one of table, json; see`},
		"services --state gone":  {2, "want one of listening, ended; see"},
		"services --at never":    {2, "want a time such as 2026-11-20T19:26:03Z or 2026-11-20 19:26, or a duration such as 10m; see"},
		"services --api ftp://x": {2, `cassini services: --api/CASSINI_API: not a URL of the form http://HOST:PORT: "ftp://x"; see`},
		"deps --up":              {2, "--up, --down and --depth want a NODE to start from; see"},
		"deps a b":               {2, `unexpected argument "b" after "a"; see`},
		"deps a --depth 0":       {2, "--depth must be 1 or more; see"},
		"graph --depth 2":        {2, "--depth wants a NODE to start from; see"},
		"graph a --kind x":       {2, "--host and --kind cannot be combined with a NODE; see"},
		"events --since never":   {2, "--since never: want a time such as 2026-11-20T19:26:03Z or 2026-11-20 19:26, or a duration such as 10m, or an event's id; see"},
		"events -f --limit 3":    {2, "--limit cannot be combined with --follow; see"},
		"manager --max-hosts 0":  {2, "--max-hosts/CASSINI_MAX_HOSTS 0: want 1 or more; see"},
		"host":                   {2, "cassini host: want NODE; see 'cassini host --help'"},
		"path a":                 {2, "want FROM and TO; see"},
		"path a b c":             {2, `unexpected argument "c" after "b"; see`},
		"completion":             {2, "want a shell: one of bash, zsh and fish; see"},
		"completion tcsh":        {2, "want a shell: one of bash, zsh and fish; see"},
		"help xyzzy":             {2, `unknown command "xyzzy"; see`},
		"version":                {0, ""},
		"help services":          {0, ""},
		"services --help":        {0, ""},
		"completion bash":        {0, ""},
		"completion zsh":         {0, ""},
		"completion fish":        {0, ""},
		"services --config /nonexistent/cassini.yaml": {2, "read configuration: open /nonexistent/cassini.yaml: no such file or directory; see"},
		"services --api " + closed: {1, "cassini services: cannot reach Cassini at http://" + closed +
			": connection refused; start it with 'cassini run' or point --api/CASSINI_API at a running one"},
	} {
		t.Run(line, func(t *testing.T) {
			got := binary(t, strings.Fields(line)...)
			lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
			last := lines[len(lines)-1]
			if got.code != want.code || !strings.Contains(last, want.stderr) {
				t.Errorf("exit code %d, want %d; stderr %q, want %q", got.code, want.code, last, want.stderr)
			}
			if want.code == 0 && (got.stderr != "" || got.stdout == "") {
				t.Errorf("success must write to stdout only; stderr %q", got.stderr)
			}
			if want.code != 0 && got.stdout != "" {
				t.Errorf("failure must not write to stdout: %q", got.stdout)
			}
			if want.code == 2 && line != "" && len(lines) != 1 {
				t.Errorf("want one line, got %q", lines)
			}
		})
	}
}

func TestListenIsLoopback(t *testing.T) {
	for line, want := range map[string]string{
		"agent --listen 0.0.0.0:1985":     "are for this machine alone: use 127.0.0.1:1985, or 'cassini manager', or say --insecure where only those you trust reach it; see 'cassini agent --help'",
		"run --listen 0.0.0.0:1984":       "'cassini run' unless --tls-name says how others reach it, are for this machine alone: use 127.0.0.1:1984, or 'cassini manager', or say",
		"agent --listen [2001:db8::1]:80": "use 127.0.0.1:80, or 'cassini manager', or say --insecure where only those you trust reach it; see",
		"run --listen 1984":               "want HOST:PORT, such as 127.0.0.1:1984; see",
		"run --listen 127.0.0.1:http":     "want a port from 0 to 65535; see",
	} {
		got := cassini(t, nil, strings.Fields(line)...)
		if got.code != 2 || !strings.Contains(got.stderr, want) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stderr %q", line, got.code, got.stderr)
		}
	}
}

func TestManagerIsLoopback(t *testing.T) {
	for url, want := range map[string]string{
		"http://10.0.0.1:1984": "not a loopback address, and without TLS", "https://127.0.0.1:1984": "", "https://manager.example:1984": "",
		"https://": "want a URL such as", "ftp://127.0.0.1": "want a URL such as",
		"127.0.0.1:1984": "want a URL such as", "http://evil.example": "not a loopback address",
		"http://localhost:1984": "", "http://[::1]:1984": "", "": "",
	} {
		err := checkManager(url, false)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", url, err)
		}
	}
}

func TestSettingsReachCommands(t *testing.T) {
	config := writeFile(t, "api: 127.0.0.1:1\noutput: json\n")
	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"file":        {nil, []string{"--config", config}, "at http://127.0.0.1:1:"},
		"named file":  {map[string]string{"CASSINI_CONFIG": config}, nil, "at http://127.0.0.1:1:"},
		"environment": {map[string]string{"CASSINI_API": "127.0.0.1:2"}, []string{"--config", config}, "at http://127.0.0.1:2:"},
		"flag":        {map[string]string{"CASSINI_API": "127.0.0.1:2"}, []string{"--config", config, "--api", "127.0.0.1:3"}, "at http://127.0.0.1:3:"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cassini(t, tc.env, append([]string{"services"}, tc.args...)...)
			if got.code != 1 || !strings.Contains(got.stderr, tc.want) {
				t.Errorf("exit code %d, stderr %q, want %q", got.code, got.stderr, tc.want)
			}
		})
	}
}

func TestBadConfiguration(t *testing.T) {
	for content, want := range map[string]string{
		"data-dir: /x\nlisten_on: y\n": `:2: unknown key "listen_on"; did you mean listen?; see 'cassini run --help'`,
		"data-dir: /x\nport: y\n":      `:2: unknown key "port"; known are agent-certificate-life, alert-alertmanager, alert-learn,`,
		"log-level: loud\n":            `:1: log-level: invalid value "loud": want one of info, debug, warn, error; see`,
		"config: other.yaml\n":         `:1: unknown key "config"; known are`,
	} {
		path := writeFile(t, content)
		got := cassini(t, nil, "run", "--config", path)
		if got.code != 2 || !strings.HasPrefix(got.stderr, "cassini run: "+path+want) {
			t.Errorf("%q: exit code %d, stderr %q", content, got.code, got.stderr)
		}
	}
	got := cassini(t, map[string]string{"CASSINI_LOG_FORMAT": "xml"}, "run")
	if got.code != 2 || !strings.HasPrefix(got.stderr, `cassini run: CASSINI_LOG_FORMAT: invalid value "xml": want one of text, json; see`) {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}
