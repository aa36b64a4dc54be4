package model

import (
	"encoding/json"
	"strings"
	"testing"
)

func texts() []string {
	return []string{
		``, ` `, `{}`, `[]`, ` { } `, `null`, `true`, `false`, `nul`, `nulls`, `tru e`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5`, `1e`, `1e+`, `1E-07`, `+1`, `1 2`,
		`"`, `""`, `"a`, `"\"`, `"\\"`, `"\u12aF"`, `"\u12g4"`, `"\u12"`, `"\x"`, "\"\x1f\"", "\"\x7f\xff\x80\"", `"0123456789abcdef"`, `"0123456\"89"`, "\"0123456789\n\"", `"01234567`,
		`[1,]`, `[,1]`, `[1 2]`, `[1,2`, `{"a":1}`, `{"a":1,}`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":[{"b":null},"]"]}`, `{"a":1}}`, `{1:2}`,
		"\t{\r\n\"a\" : [ 1 , 2 ] } ", "\v1", "\ufeff1", `"` + strings.Repeat("é", 20) + `"`,
		strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001),
	}
}

func TestValidJSON(t *testing.T) {
	for _, text := range texts() {
		if got, want := ValidJSON([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("%.60q: %v, encoding/json says %v", text, got, want)
		}
	}
}

func FuzzValidJSON(f *testing.F) {
	for _, text := range texts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := ValidJSON(text), json.Valid(text); got != want {
			t.Errorf("%q: %v, encoding/json says %v", text, got, want)
		}
	})
}

// BenchmarkValidJSON is a dependency's body, and one long text.
func BenchmarkValidJSON(b *testing.B) {
	for name, text := range map[string]string{
		"dependency": `{"direction":"out","proto":"tcp","pid":7,"exe":"/usr/bin/curl","cmdline":["/usr/bin/curl","--config","/etc/curl.conf"],"uid":"root","gid":"root","uid_number":0,"gid_number":0,"cwd":"/","client_addr":"10.0.0.1","server_addr":"192.0.2.1","port":443,"netns":0,"connections":1,"attempts":1,"failed":0,"open":0,"bytes_sent":0,"bytes_received":0,"rtt_microseconds":0,"first_seen":"2026-11-20T19:00:00Z","last_seen":"2026-11-20T19:00:00Z","counting_since":"2026-11-20T19:00:00Z"}`,
		"text":       `"` + strings.Repeat("a document ", 650) + `"`,
	} {
		for by, valid := range map[string]func([]byte) bool{"jsontext": ValidJSON, "encoding json": json.Valid} {
			b.Run(name+" by "+by, func(b *testing.B) {
				raw := []byte(text)
				b.SetBytes(int64(len(raw)))
				for b.Loop() {
					if !valid(raw) {
						b.Fatal("not valid")
					}
				}
			})
		}
	}
}
