// kube reads the YAML of Kubernetes objects as strictly as an API server that is asked for strict
// field validation: unknown and repeated fields are refused, and so is an object of a kind that is
// not expected here. It prints the objects as one JSON array.
//
//	kube objects <rendered.yaml   every document is an object of a known kind
//	kube json <values.yaml        one document of any kind, as JSON
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializerjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// What cert-manager's CSI driver knows; a wrong name is ignored by it, and the certificate is then
// another than was meant.
var csiAttributes = map[string]bool{
	"csi.cert-manager.io/issuer-name": true, "csi.cert-manager.io/issuer-kind": true,
	"csi.cert-manager.io/issuer-group": true, "csi.cert-manager.io/dns-names": true,
	"csi.cert-manager.io/uri-sans": true, "csi.cert-manager.io/duration": true,
	"csi.cert-manager.io/key-usages": true, "csi.cert-manager.io/renew-before": true,
	"csi.cert-manager.io/fs-group": true,
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		core.AddToScheme, apps.AddToScheme, batch.AddToScheme, networking.AddToScheme,
		policy.AddToScheme, monitoring.AddToScheme, certmanager.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

func podSpec(object runtime.Object) *core.PodSpec {
	switch it := object.(type) {
	case *apps.Deployment:
		return &it.Spec.Template.Spec
	case *apps.StatefulSet:
		return &it.Spec.Template.Spec
	case *apps.DaemonSet:
		return &it.Spec.Template.Spec
	case *batch.CronJob:
		return &it.Spec.JobTemplate.Spec.Template.Spec
	case *batch.Job:
		return &it.Spec.Template.Spec
	}
	return nil
}

// What the types cannot say and an API server would refuse, or silently take for something else.
func checkPod(spec *core.PodSpec) error {
	volumes := map[string]bool{}
	for _, volume := range spec.Volumes {
		if volumes[volume.Name] {
			return fmt.Errorf("volume %s is there twice", volume.Name)
		}
		volumes[volume.Name] = true
		if volume.CSI == nil {
			continue
		}
		for key := range volume.CSI.VolumeAttributes {
			if !csiAttributes[key] {
				return fmt.Errorf("volume %s: the CSI driver knows no attribute %s", volume.Name, key)
			}
		}
	}
	names := map[string]bool{}
	for _, container := range append(append([]core.Container{}, spec.InitContainers...), spec.Containers...) {
		if names[container.Name] {
			return fmt.Errorf("container %s is there twice", container.Name)
		}
		names[container.Name] = true
		paths := map[string]bool{}
		for _, mount := range container.VolumeMounts {
			if paths[mount.MountPath] {
				return fmt.Errorf("container %s mounts %s twice", container.Name, mount.MountPath)
			}
			paths[mount.MountPath] = true
		}
	}
	return nil
}

func readObject(decoder runtime.Decoder, document []byte) (json.RawMessage, error) {
	object, kind, err := decoder.Decode(document, nil, nil)
	if err != nil {
		return nil, err
	}
	if spec := podSpec(object); spec != nil {
		if err := checkPod(spec); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
	}
	return yaml.YAMLToJSON(document)
}

func readObjects(input io.Reader) ([]json.RawMessage, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	decoder := serializerjson.NewSerializerWithOptions(serializerjson.DefaultMetaFactory, scheme, scheme,
		serializerjson.SerializerOptions{Yaml: true, Strict: true})
	objects := []json.RawMessage{}
	reader := utilyaml.NewDocumentDecoder(io.NopCloser(input))
	defer reader.Close()
	buffer := make([]byte, 4<<20)
	for {
		n, err := reader.Read(buffer)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		document := append([]byte{}, buffer[:n]...)
		asJSON, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, fmt.Errorf("%w, in\n%s", err, document)
		}
		if bytes.Equal(asJSON, []byte("null")) {
			continue
		}
		object, err := readObject(decoder, document)
		if err != nil {
			return nil, fmt.Errorf("%w, in\n%s", err, document)
		}
		objects = append(objects, object)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("usage: kube objects|json <FILE")
	}
	switch os.Args[1] {
	case "objects":
		objects, err := readObjects(os.Stdin)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(objects)
	case "json":
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		asJSON, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(asJSON)
		return err
	}
	return fmt.Errorf("unknown word %q", os.Args[1])
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
