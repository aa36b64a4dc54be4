package enroll

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
)

// ask has the hypervisor do something, and returns what it answers (QMP).
func (v virtual) ask(command string, arguments any) (answer map[string]any, err error) {
	conn, err := net.Dial("unix", v.control())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	for _, say := range []map[string]any{{"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}} {
		if arguments == nil {
			delete(say, "arguments")
		}
		if err := out.Encode(say); err != nil {
			return nil, err
		}
		if answer, err = read(in); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", say["execute"], v.at, err)
		}
	}
	return answer, nil
}

// read reads the next answer: between them are a greeting and events.
func read(in *json.Decoder) (map[string]any, error) {
	for {
		var line struct {
			Return map[string]any
			Error  *struct{ Desc string }
		}
		switch err := in.Decode(&line); {
		case err != nil:
			return nil, err
		case line.Error != nil:
			return nil, errors.New(line.Error.Desc)
		case line.Return != nil:
			return line.Return, nil
		}
	}
}

// do is ask where nothing may go wrong.
func (v virtual) do(command string, arguments any) {
	v.r.t.Helper()
	if _, err := v.ask(command, arguments); err != nil {
		v.r.t.Fatal(err)
	}
}

// is waits until the machine is in a state.
func (v virtual) is(state string) {
	v.r.t.Helper()
	v.r.wait(v.at+" is in state "+state, func() error {
		is, err := v.ask("query-status", nil)
		if err == nil && is["status"] != state {
			err = fmt.Errorf("it is in state %v", is["status"])
		}
		return err
	})
}

// migrate sends all that the machine is, but for its disk, to a place: another hypervisor or a file.
func (v virtual) migrate(to string) {
	v.r.t.Helper()
	v.do("migrate", map[string]string{"uri": to})
	v.r.wait(v.at+" is sent to "+to, func() error {
		is, err := v.ask("query-migrate", nil)
		if err == nil && is["status"] == "failed" {
			v.r.t.Fatalf("%s: %v", v.at, is)
		}
		if err == nil && is["status"] != "completed" {
			err = fmt.Errorf("%v", is)
		}
		return err
	})
}

// snapshot keeps what the machine is, memory and disk, which stands still from then on. What it
// returns has a machine go on from there.
func (v virtual) snapshot(at string) (restore func()) {
	v.r.t.Helper()
	v.do("stop", nil)
	memory := filepath.Join(v.r.dir, at+".memory")
	v.migrate("file:" + memory)
	back := v.r.newVirtual(v.image, at, v)
	back.copyDisk(v.disk)
	return func() {
		v.r.t.Helper()
		back.start("-incoming", "file:"+memory)
		back.is("paused") // as it was when it was kept
		back.do("cont", nil)
	}
}
