package output

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain ütf-8 …":      "plain ütf-8 …",
		"\x1b[31mred\x1b[0m": `\x1b[31mred\x1b[0m`,
		"a\nb\tc\r":          `a\nb\tc\r`,
		"\u009b31m":          `\u009b31m`,
		"abc\u202edef":       `abc\u202edef`,
		"bad\xffbyte":        `bad\xffbyte`,
		"real \uFFFD":        "real \uFFFD",
		"\U000e0001":         `\U000e0001`,
		`it's "quoted" \o/`:  `it's "quoted" \o/`,
		"nul\x00del\x7f":     `nul\x00del\x7f`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b]0;title\x07")
	f.Add("a\xffb\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, hidden) || strings.Contains(got, "\n") {
			t.Errorf("Clean(%q) = %q", s, got)
		}
		if Clean(got) != got {
			t.Errorf("Clean is not stable on %q", got)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add("nginx -g 'daemon off;'", "日本語", 20)
	f.Add("\x1b[2J", "é", 3)
	f.Fuzz(func(t *testing.T, a, b string, width int) {
		table := Table{Columns: []Column{{Title: "A", Flex: true}, {Title: "B", Flex: true, Optional: true}}}
		table.Add(Plain, Text(a, b)...)
		var out bytes.Buffer
		if err := table.Write(&out, Terminal{Width: width}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		if len(lines) != 3 {
			t.Fatalf("want two lines, got %q", lines)
		}
		if w := uniseg.StringWidth(lines[1]); width >= 2*flexMin+2 && w > width {
			t.Errorf("%d columns on a terminal of %d: %q", w, width, lines[1])
		}
	})
}

func TestJSONEscapesWhatATerminalObeys(t *testing.T) {
	in := "a\x1b\u009b\u202e\U000e0001<é>\u2028"
	var out bytes.Buffer
	if err := JSON(&out, []string{in}); err != nil {
		t.Fatal(err)
	}
	want := "[\n  \"a\\u001b\\u009b\\u202e\\udb40\\udc01<é>\\u2028\"\n]\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	var back []string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[0] != in {
		t.Errorf("read back %q, %v", back, err)
	}
}

func TestJSONArrayIsNeverNull(t *testing.T) {
	var out bytes.Buffer
	if err := JSONArray[int](&out, nil); err != nil || out.String() != "[]\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestHumane(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct{ got, want string }{
		{Ago(time.Time{}, now), "-"},
		{Ago(now, now), "just now"},
		{Ago(now.Add(-3*time.Minute-9*time.Second), now), "3m ago"},
		{Ago(now.Add(time.Hour), now), "in 1h"},
		{Duration(59 * time.Second), "59s"},
		{Duration(2*time.Hour + 10*time.Minute), "2h10m"},
		{Duration(12*time.Hour + 10*time.Minute), "12h"},
		{Duration(27 * time.Hour), "1d3h"},
		{Duration(24*time.Hour + time.Minute), "1d"},
		{Duration(400 * 24 * time.Hour), "400d"},
		{Micros(0), "-"}, {Micros(85), "85µs"}, {Micros(1234), "1.2ms"}, {Micros(2_500_000), "2.5s"},
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(-1234567), "-1,234,567"},
		{Count(uint64(1<<64 - 1)), "18,446,744,073,709,551,615"},
		{Bytes(0), "0 B"}, {Bytes(1023), "1023 B"}, {Bytes(1536), "1.5 KiB"}, {Bytes(1<<20 - 1), "1.0 MiB"}, {Bytes(1<<64 - 1), "16.0 EiB"},
		{Command([]string{"sh", "-c", "echo it's", ""}), `sh -c 'echo it'\''s' ''`},
		{Command([]string{"postgres: writer   "}), "postgres: writer"},
		{Command(nil), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func sample() *Table {
	table := &Table{Columns: []Column{{Title: "NAME"}, {Title: "COUNT", Right: true}, {Title: "CWD", Flex: true, Optional: true}, {Title: "COMMAND", Flex: true}}}
	table.Add(Plain, Text("nginx", "1,234", "/var/lib/nginx", "nginx: master process /usr/sbin/nginx -g daemon off;")...)
	table.Add(Dim, Cell{Text: "日本"}, Cell{Text: "7", Style: Red}, Cell{}, Cell{Text: "\x1b[2Jx"})
	table.Add(Plain, Text("empty", "0", "", "")...)
	return table
}

func TestTable(t *testing.T) {
	for name, tc := range map[string]struct {
		term Terminal
		want string
	}{
		"pipe": {Terminal{}, `
NAME   COUNT  CWD             COMMAND
nginx  1,234  /var/lib/nginx  nginx: master process /usr/sbin/nginx -g daemon off;
日本       7                  \x1b[2Jx
empty      0
`},
		"narrow": {Terminal{Width: 50}, `
NAME   COUNT  CWD             COMMAND
nginx  1,234  /var/lib/nginx  nginx: master proce…
日本       7                  \x1b[2Jx
empty      0
`},
		"narrower": {Terminal{Width: 30}, `
NAME   COUNT  COMMAND
nginx  1,234  nginx: master p…
日本       7  \x1b[2Jx
empty      0
`},
		"too narrow": {Terminal{Width: 5}, `
NAME   COUNT  COMMAND
nginx  1,234  nginx: mast…
日本       7  \x1b[2Jx
empty      0
`},
		"colour": {Terminal{Color: true, Width: 30}, `
^1mNAME^0m   ^1mCOUNT^0m  ^1mCOMMAND^0m
nginx  1,234  nginx: master p…
^2m日本^0m       ^31m7^0m  ^2m\x1b[2Jx^0m
empty      0
`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := sample().Write(&out, tc.term); err != nil {
				t.Fatal(err)
			}
			got := "\n" + strings.ReplaceAll(out.String(), "\x1b[", "^")
			if got != tc.want {
				t.Errorf("got:%s\nwant:%s", got, tc.want)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	none := func(string) string { return "" }
	if got := Detect(&bytes.Buffer{}, none); got != (Terminal{}) {
		t.Errorf("a buffer is no terminal, got %+v", got)
	}
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := Detect(f, none); got != (Terminal{}) {
		t.Errorf("a file is no terminal, got %+v", got)
	}
}

func TestDetectTerminal(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	if err := unix.IoctlSetWinsize(int(pty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 99}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env  map[string]string
		want Terminal
	}{
		{nil, Terminal{Width: 99, Color: true}},
		{map[string]string{"NO_COLOR": "1"}, Terminal{Width: 99}},
		{map[string]string{"TERM": "dumb"}, Terminal{Width: 99}},
	} {
		if got := Detect(pty, func(k string) string { return tc.env[k] }); got != tc.want {
			t.Errorf("%v: got %+v, want %+v", tc.env, got, tc.want)
		}
	}
}
