package model

import (
	"encoding/json"
	"reflect"
	"testing"
)

// bodies are one of each kind of body, empty.
func bodies() []any {
	return []any{
		new(Listener), new(Dependency), new(Identity), new(OS), new(Interface), new(Neighbor), new(Seen), new(DHCP), new(DHCPServer), new(Forwarding), new(Route), new(Rule),
		new(Container), new(Asked), new(Program), new(Translation), new(Verdict), new(Ring), new(Ack), new(Silence), new(HostLabels), new(Refused),
	}
}

// FuzzDecode holds that a body is decoded to what encoding/json makes of it, whatever it is: by one
// or the other a graph that is derived from the log again would not be the same.
func FuzzDecode(f *testing.F) {
	for _, body := range bodies() {
		text, err := json.Marshal(body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		`{"proto":"tcp","addr":"10.0.1.8","port":22,"pid":397,"exe":"/usr/sbin/sshd","cmdline":["/usr/sbin/sshd"],"home":{"unit":"a","slice":null},"since":"2026-11-20T19:00:01.199+01:00","ended":null}`,
		`{"name":"eth0","PORT":"tp","mtu":1500,"up":true,"ipaddrs":{"10.0.1.8/26":{"scope":"global","name":"eth0"},"x":null},"default_gateways":["10.0.0.1",""],"link_modes":{"advertised":["a"]}}`,
		`{"interface":"eth0","protocol":"lldp","ttl":70000,"chassis":{"kind":"mac","id":"00:1b"},"chassis":{"id":"\ud800"},"enabled":["bridge"],"unknown":[{"type":127}],"first_seen":"2026-11-20 19:00:01"}`,
		`{"pid":"1"}`, `{"pid":1e2}`, `{"pid":1.5}`, `{"addr":"here"}`, `{"exe":"\u0000\ud83d\ude00"}`, "{\"exe\":\"\xff\"}", `{"cmdline":[1,"a"]}`, `{"members":[{"host":"a"}],"id":7}`, `[]`, `null`, `{`, ` {"exe":"a"} `, `{"exe":"a"}x`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := bodies()
		for i, got := range bodies() {
			err := Document{Body: text}.Decode(got)
			wanted := json.Unmarshal(text, want[i])
			if (err == nil) != (wanted == nil) {
				t.Fatalf("%T of %q: %v, want %v", got, text, err, wanted)
			}
			if err == nil && !reflect.DeepEqual(got, want[i]) {
				t.Errorf("%T of %q:\n got %+v\nwant %+v", got, text, got, want[i])
			}
		}
	})
}
