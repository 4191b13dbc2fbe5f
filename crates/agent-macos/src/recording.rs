//! Who records: the process objects of Core Audio (macOS 14.2 and later). Earlier ones tell only whether a device runs. Core
//! Audio says when something changes; what there is then is read anew.

use std::{ffi::c_void, ptr::NonNull};

use block2::RcBlock;
use dispatch2::{DispatchQueue, DispatchRetained};
use objc2_core_audio::{
    AudioObjectAddPropertyListenerBlock, AudioObjectGetPropertyData,
    AudioObjectGetPropertyDataSize, AudioObjectID, AudioObjectPropertyAddress,
    AudioObjectPropertyScope, AudioObjectPropertySelector, AudioObjectRemovePropertyListenerBlock,
    kAudioDevicePropertyDeviceIsRunningSomewhere, kAudioDevicePropertyStreams,
    kAudioHardwarePropertyDevices, kAudioHardwarePropertyProcessObjectList,
    kAudioObjectPropertyElementMain, kAudioObjectPropertyScopeGlobal,
    kAudioObjectPropertyScopeInput, kAudioObjectSystemObject, kAudioProcessPropertyIsRunningInput,
    kAudioProcessPropertyPID,
};

const SYSTEM: AudioObjectID = kAudioObjectSystemObject as AudioObjectID;

/// Called when something changed.
type Changed = RcBlock<dyn Fn(u32, NonNull<AudioObjectPropertyAddress>)>;

/// Who records now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    /// These processes do.
    Processes(Vec<u32>),
    /// This macOS does not tell which; whether any does.
    Devices(bool),
}

/// Core Audio, as one thread sees it.
pub struct Microphones {
    changed: Changed,
    queue: DispatchRetained<DispatchQueue>,
    listened: Vec<(AudioObjectID, AudioObjectPropertyAddress)>,
}

impl Microphones {
    /// Begins to listen. `changed` is called on a thread of macOS', which it must not hold up.
    #[must_use]
    pub fn new(changed: impl Fn() + 'static) -> Self {
        let mut microphones = Self {
            changed: RcBlock::new(move |_, _| changed()),
            queue: DispatchQueue::new("Offhook microphone", None),
            listened: Vec::new(),
        };
        for selector in [
            kAudioHardwarePropertyProcessObjectList,
            kAudioHardwarePropertyDevices,
        ] {
            microphones.listen(SYSTEM, global(selector));
        }
        microphones
    }

    /// Reads who records now, and listens to all that there is from then on; nothing if Core Audio does not answer.
    pub fn read(&mut self) -> Option<Recording> {
        match list(SYSTEM, global(kAudioHardwarePropertyProcessObjectList)) {
            Some(processes) => Some(Recording::Processes(self.processes(&processes))),
            None => {
                let devices = list(SYSTEM, global(kAudioHardwarePropertyDevices))?;
                Some(Recording::Devices(self.runs_any(&devices)))
            }
        }
    }

    fn processes(&mut self, processes: &[AudioObjectID]) -> Vec<u32> {
        let running = global(kAudioProcessPropertyIsRunningInput);
        self.listen_only(processes, running);
        let mut pids: Vec<u32> = processes
            .iter()
            .filter(|process| number(**process, running).is_some_and(|runs| runs != 0))
            .filter_map(|process| number(*process, global(kAudioProcessPropertyPID)))
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    fn runs_any(&mut self, devices: &[AudioObjectID]) -> bool {
        let streams = of(kAudioDevicePropertyStreams, kAudioObjectPropertyScopeInput);
        let records =
            |device: &&AudioObjectID| size(**device, streams).is_some_and(|size| size > 0);
        let microphones: Vec<AudioObjectID> = devices.iter().filter(records).copied().collect();
        let running = global(kAudioDevicePropertyDeviceIsRunningSomewhere);
        self.listen_only(&microphones, running);
        microphones
            .iter()
            .any(|device| number(*device, running).is_some_and(|runs| runs != 0))
    }

    /// Listens to a property of these objects, and of the system, and of no others.
    fn listen_only(&mut self, objects: &[AudioObjectID], property: AudioObjectPropertyAddress) {
        let (kept, gone) = std::mem::take(&mut self.listened)
            .into_iter()
            .partition(|(object, _)| *object == SYSTEM || objects.contains(object));
        self.listened = kept;
        for (object, property) in gone {
            self.ignore(object, property);
        }
        for object in objects {
            if !self.listened.iter().any(|(listened, _)| listened == object) {
                self.listen(*object, property);
            }
        }
    }

    fn listen(&mut self, object: AudioObjectID, property: AudioObjectPropertyAddress) {
        // SAFETY: address, queue and block live until the call is over; Core Audio keeps what it needs longer.
        let status = unsafe {
            AudioObjectAddPropertyListenerBlock(
                object,
                NonNull::from(&property),
                Some(&self.queue),
                RcBlock::as_ptr(&self.changed),
            )
        };
        if status == 0 {
            self.listened.push((object, property));
        }
    }

    fn ignore(&self, object: AudioObjectID, property: AudioObjectPropertyAddress) {
        // SAFETY: as in `listen`. An object that is gone is refused, which is as well.
        let _ = unsafe {
            AudioObjectRemovePropertyListenerBlock(
                object,
                NonNull::from(&property),
                Some(&self.queue),
                RcBlock::as_ptr(&self.changed),
            )
        };
    }
}

impl Drop for Microphones {
    fn drop(&mut self) {
        for (object, property) in std::mem::take(&mut self.listened) {
            self.ignore(object, property);
        }
    }
}

fn global(selector: AudioObjectPropertySelector) -> AudioObjectPropertyAddress {
    of(selector, kAudioObjectPropertyScopeGlobal)
}

fn of(
    selector: AudioObjectPropertySelector,
    scope: AudioObjectPropertyScope,
) -> AudioObjectPropertyAddress {
    AudioObjectPropertyAddress {
        mSelector: selector,
        mScope: scope,
        mElement: kAudioObjectPropertyElementMain,
    }
}

/// How many bytes a property has; nothing if there is no such property.
fn size(object: AudioObjectID, property: AudioObjectPropertyAddress) -> Option<u32> {
    let mut size = 0_u32;
    // SAFETY: both live until the call is over.
    let status = unsafe {
        AudioObjectGetPropertyDataSize(
            object,
            NonNull::from(&property),
            0,
            std::ptr::null(),
            NonNull::from(&mut size),
        )
    };
    (status == 0).then_some(size)
}

/// Reads a property into numbers of 32 bits, and says how many there are.
fn read(
    object: AudioObjectID,
    property: AudioObjectPropertyAddress,
    to: &mut [u32],
) -> Option<usize> {
    let mut size = u32::try_from(size_of_val(to)).ok()?;
    let data = NonNull::new(to.as_mut_ptr())?.cast::<c_void>();
    // SAFETY: `data` has room for `size` bytes; all lives until the call is over.
    let status = unsafe {
        AudioObjectGetPropertyData(
            object,
            NonNull::from(&property),
            0,
            std::ptr::null(),
            NonNull::from(&mut size),
            data,
        )
    };
    (status == 0).then_some(size as usize / size_of::<u32>())
}

/// A property that is a number of 32 bits.
fn number(object: AudioObjectID, property: AudioObjectPropertyAddress) -> Option<u32> {
    let mut number = [0];
    let [number] = (read(object, property, &mut number)? == 1).then_some(number)?;
    Some(number)
}

/// A property that is a list of objects.
fn list(object: AudioObjectID, property: AudioObjectPropertyAddress) -> Option<Vec<AudioObjectID>> {
    let size = size(object, property)?;
    let mut objects = vec![0; size as usize / size_of::<AudioObjectID>()];
    // It may have become shorter meanwhile.
    let count = read(object, property, &mut objects)?;
    objects.truncate(count);
    Some(objects)
}
