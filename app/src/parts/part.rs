//! A view without its type.
//!
//! On the server it is the framework's own, `AnyView`. In the browser that one carries, for each of its types, the way
//! to wait for code that is loaded later and the way to turn one view into another node by node: a quarter of the
//! module, although nothing here is loaded later and texts that change are signals of their own. So in the browser it
//! is a smaller one, which hydrates at once and changes by putting a new view in the old one's place.

#[cfg(feature = "hydrate")]
pub(crate) use browser::Part;
#[cfg(not(feature = "hydrate"))]
pub(crate) use leptos::prelude::AnyView as Part;
use leptos::prelude::RenderHtml;

/// Forgets the type of a view.
pub(crate) trait Erase {
    fn erase(self) -> Part;
}

impl<T: RenderHtml + 'static> Erase for T {
    #[cfg(feature = "hydrate")]
    fn erase(self) -> Part {
        Part::new(self)
    }

    #[cfg(not(feature = "hydrate"))]
    fn erase(self) -> Part {
        leptos::prelude::IntoAny::into_any(self)
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::attr::Attribute;
    use leptos::attr::any_attribute::AnyAttribute;
    use leptos::prelude::{AddAnyAttr, Mountable, Render, RenderHtml};
    use leptos::tachys::hydration::Cursor;
    use leptos::tachys::renderer::types::{Element, Node};
    use leptos::tachys::view::{Position, PositionState};

    pub(crate) struct Part(Box<dyn ErasedView>);

    impl Part {
        pub(super) fn new(view: impl RenderHtml + 'static) -> Self {
            Self(Box::new(view))
        }
    }

    trait ErasedView: Send {
        fn build(self: Box<Self>) -> PartState;

        fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> PartState;
    }

    impl<T: RenderHtml + 'static> ErasedView for T {
        fn build(self: Box<Self>) -> PartState {
            PartState(Box::new(Render::build(*self)))
        }

        fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> PartState {
            PartState(Box::new(RenderHtml::hydrate::<true>(*self, cursor, position)))
        }
    }

    /// The nodes of a part.
    pub(crate) struct PartState(Box<dyn Mountable>);

    impl Mountable for PartState {
        fn unmount(&mut self) {
            self.0.unmount();
        }

        fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
            self.0.mount(parent, marker);
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            self.0.insert_before_this(child)
        }

        fn elements(&self) -> Vec<Element> {
            self.0.elements()
        }
    }

    impl Render for Part {
        type State = PartState;

        fn build(self) -> Self::State {
            self.0.build()
        }

        fn rebuild(self, state: &mut Self::State) {
            let mut fresh = self.0.build();
            state.insert_before_this(&mut fresh);
            state.unmount();
            *state = fresh;
        }
    }

    /// Nobody adds attributes to a part from outside.
    impl AddAnyAttr for Part {
        type Output<A: Attribute> = Self;

        fn add_any_attr<A: Attribute>(self, _attribute: A) -> Self::Output<A> {
            self
        }
    }

    /// The browser hydrates and builds; what only a server does is not there.
    impl RenderHtml for Part {
        type AsyncOutput = Self;
        type Owned = Self;

        const MIN_LENGTH: usize = 0;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> Self::AsyncOutput {
            self
        }

        fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

        fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
            self.0.hydrate(cursor, position)
        }

        fn into_owned(self) -> Self::Owned {
            self
        }
    }
}
