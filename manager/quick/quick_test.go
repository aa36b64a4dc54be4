package quick

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"cassini/model"
)

var start = time.Date(2026, 11, 21, 14, 0, 0, 123, time.UTC)

// full is a dependency in which every field says something.
func full(t testing.TB) model.Dependency {
	t.Helper()
	d := model.Dependency{Direction: model.Out, Client: netip.MustParseAddr("fe80::1%eth0"), Server: netip.MustParseAddr("10.0.0.2"), FirstSeen: start, LastSeen: start.Add(1), CountingSince: start.Add(2)}
	n := uint64(0)
	fill(t, reflect.ValueOf(&d).Elem(), &n)
	return d
}

func fill(t testing.TB, v reflect.Value, n *uint64) {
	t.Helper()
	*n++
	switch x := v.Addr().Interface().(type) {
	case *model.Histogram:
		*x = model.MakeHistogram(func(yield func(model.Bucket, uint64) bool) { yield(model.Bucket{Low: 64, High: 128}, *n) })
		return
	case *netip.Addr, *time.Time, *[]netip.AddrPort:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d \u00e4", *n))
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"a", ""}))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(*n)
	default:
		t.Fatalf("no value of kind %v", v.Kind())
	}
}

// TestWhatAgentsWrite decodes every field there is; one that is new in model fails it.
func TestWhatAgentsWrite(t *testing.T) {
	none := model.Dependency{Client: netip.MustParseAddr("::1"), Server: netip.MustParseAddr("::1")}
	empty := none
	empty.Cmdline = []string{}
	for name, d := range map[string]model.Dependency{"every field": full(t), "no field": none, "empty lists": empty} {
		body, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var texts Texts
		for range 2 { // of texts that are known too
			var got model.Dependency
			if ok := Dependency(body, &got, &texts); !ok || !reflect.DeepEqual(got, d) {
				t.Errorf("%s: %v\n got %+v\nwant %+v", name, ok, got, d)
			}
		}
	}
}

func TestWhatIsLeftToOthers(t *testing.T) {
	for _, body := range []string{
		``, `null`, `{`, `{}x`, ` {}`, `{"pid": 1}`, `{"pid":-1}`, `{"pid":1.5}`, `{"pid":01}`, `{"pid":1e3}`, `{"PID":1}`, `{"more":1}`, `{"port":65536}`,
		`{"exe":"\u0041"}`, `{"exe":"\n"}`, "{\"exe\":\"\xff\"}", `{"exe":null}`, `{"home":{"unit":"a"},"home":{"slice":"b"}}`, `{"home":null}`, `{"partial":1}`,
		`{"connections":18446744073709551616}`, `{"first_seen":"yesterday"}`, `{"client_addr":"here"}`, `{"rtt_histogram":[]}`, `{"rtt_histogram":{"a":1}}`, `{"pid":1,}`, `{,}`, `{"pid":}`, `{"cmdline":["a",]}`, `{"cmdline":["a"}`,
	} {
		if d := (model.Dependency{}); Dependency([]byte(body), &d, nil) {
			t.Errorf("%s was taken for %+v", body, d)
		}
	}
}

// FuzzDependency holds that what is decoded is what encoding/json decodes.
func FuzzDependency(f *testing.F) {
	body, err := json.Marshal(full(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"direction":"in","client_addr":"","cmdline":null,"partial":false,"open_traffic":{"bytes_sent":1},"open_traffic":{"bytes_received":2}}`))
	f.Add([]byte(`{"rtt_histogram":{"64-128":3},"port":0,"cmdline":[],"cmdline":["x"],"first_seen":"2026-11-21T14:00:00+01:00"}`))
	var texts Texts
	f.Fuzz(func(t *testing.T, body []byte) {
		var got model.Dependency
		if !Dependency(body, &got, &texts) {
			return
		}
		var want model.Dependency
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", body, got, want)
		}
	})
}

func BenchmarkDependency(b *testing.B) {
	d := full(b)
	d.Counters = model.Counters{Connections: 12345, Attempts: 12346, BytesSent: 1 << 30, BytesReceived: 1 << 20, RTTMicros: 800}
	body, err := json.Marshal(d)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("quick", func(b *testing.B) {
		var texts Texts
		for b.Loop() {
			var d model.Dependency
			if !Dependency(body, &d, &texts) {
				b.Fatal("not decoded")
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		for b.Loop() {
			var d model.Dependency
			if err := json.Unmarshal(body, &d); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestTexts shares what comes again, and nothing with what it was read from.
func TestTexts(t *testing.T) {
	var texts Texts
	raw := []byte("/usr/sbin/nginx")
	first := texts.of(raw)
	second := texts.of(raw)
	if unsafe.StringData(first) != unsafe.StringData(second) {
		t.Error("the same text has memory twice")
	}
	if copy(raw, "/usr/bin/curl"); first != "/usr/sbin/nginx" {
		t.Errorf("it became %q", first)
	}
	for i := range 10 * textsKept {
		if text := fmt.Sprint(i); texts.of([]byte(text)) != text {
			t.Errorf("%q became another", text)
		}
	}
	if long := strings.Repeat("x", longestText+1); texts.of([]byte(long)) != long || slices.Contains(texts.kept, long) {
		t.Error("a long text is kept")
	}
}
